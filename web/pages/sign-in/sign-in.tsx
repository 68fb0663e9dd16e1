import { Button, Divider, Group, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Preferences } from '../../app/preferences.tsx';
import { sessionQuery } from '../../data/caller.ts';
import { beginSignIn, endSignIn, signInWithKey } from '../../data/session.ts';
import { Icon } from '../../ui/icons.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Failed, Loaded } from '../../ui/states.tsx';
import { useUrlState } from '../../ui/url-state.ts';
import './sign-in.css';

/** Returns a path of the console; the overview if the text leads anywhere else. */
function localPath(text: string | undefined): string {
  const url = text?.startsWith('/') === true ? URL.parse(text, location.origin) : null;
  return url?.origin === location.origin ? `${url.pathname}${url.search}` : '/';
}

/** Where people sign in, with an API key or at the identity provider, which also leads back to this page. */
export default function SignInPage() {
  const { t } = useTranslation('sign-in');
  const { t: shell } = useTranslation('shell');
  const [url] = useUrlState();
  const isReturn = url.state !== undefined;
  return (
    <main className="sign-in">
      <Group justify="space-between" mb="xl" wrap="nowrap">
        <Text fw={700}>{shell('product')}</Text>
        <Group gap={6} wrap="nowrap">
          <Preferences />
        </Group>
      </Group>
      <Title order={1} mb="xs">
        {t('title')}
      </Title>
      {isReturn ? <Returned /> : <Choice next={localPath(url.next)} />}
    </main>
  );
}

/** Returns a function that opens a page as the person who has just signed in. */
function useOpen() {
  const client = useQueryClient();
  const router = useRouter();
  return (path: string) => {
    // Nothing of the person before is shown.
    client.clear();
    router.history.replace(path);
  };
}

function Choice({ next }: { readonly next: string }) {
  const { t } = useTranslation('sign-in');
  const query = useQuery(sessionQuery);
  const open = useOpen();
  const state = query.data?.state;
  useEffect(() => {
    if (state === 'signed-in') open(next);
  });
  return (
    <Loaded query={query}>
      {(session) =>
        session.state === 'open' ? (
          <Notice title={t('open')} action={<Button onClick={() => open(next)}>{t('enter')}</Button>}>
            {t('openDetail')}
          </Notice>
        ) : (
          <Stack gap="lg">
            {session.identityProvider !== undefined && (
              <>
                <AtProvider next={next} issuer={session.identityProvider.issuer} />
                <Divider label={t('or')} />
              </>
            )}
            <WithKey onDone={() => open(next)} />
          </Stack>
        )
      }
    </Loaded>
  );
}

function AtProvider({ next, issuer }: { readonly next: string; readonly issuer: string }) {
  const { t } = useTranslation('sign-in');
  const begin = useMutation({
    mutationFn: () => beginSignIn(next),
    onSuccess: ({ authorizationUrl }) => location.assign(authorizationUrl),
  });
  return (
    <Stack gap="xs">
      <Text size="sm" c="dimmed">
        {t('providerLead', { host: URL.parse(issuer)?.host ?? issuer })}
      </Text>
      <Button
        leftSection={<Icon name="sign-in" />}
        loading={begin.isPending || begin.isSuccess}
        onClick={() => begin.mutate()}
      >
        {t('provider')}
      </Button>
      {begin.error !== null && <Failed error={begin.error} />}
    </Stack>
  );
}

function WithKey({ onDone }: { readonly onDone: () => void }) {
  const { t } = useTranslation('sign-in');
  const [key, setKey] = useState('');
  const [isMissing, setMissing] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const signIn = useMutation({
    mutationFn: signInWithKey,
    onSuccess: onDone,
    onError: () => input.current?.select(),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const given = key.trim();
    setMissing(given === '');
    if (given === '') input.current?.focus();
    else signIn.mutate(given);
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="sm">
        <PasswordInput
          ref={input}
          label={t('key')}
          description={t('keyHelp')}
          autoComplete="current-password"
          spellCheck={false}
          value={key}
          error={isMissing && t('keyMissing')}
          visibilityToggleButtonProps={{ 'aria-label': t('showKey'), tabIndex: 0 }}
          onChange={({ currentTarget: { value } }) => setKey(value)}
        />
        {signIn.error !== null && <Failed error={signIn.error} />}
        <Button type="submit" variant="default" loading={signIn.isPending} leftSection={<Icon name="key" />}>
          {t('withKey')}
        </Button>
      </Stack>
    </form>
  );
}

/** The way back from the identity provider: the query of this address ends the sign-in, once. */
function Returned() {
  const { t } = useTranslation('sign-in');
  const open = useOpen();
  const end = useMutation({
    mutationFn: endSignIn,
    onSuccess: ({ returnTo }) => open(localPath(returnTo)),
  });
  const isSent = useRef(false);
  const { mutate } = end;
  useEffect(() => {
    if (isSent.current) return;
    isSent.current = true;
    mutate(location.search);
  }, [mutate]);
  if (end.error === null)
    return (
      <Text role="status" c="dimmed">
        {t('ending')}
      </Text>
    );
  return (
    <Stack>
      <Failed error={end.error} />
      <Group>
        <Button component="a" href="/sign-in">
          {t('again')}
        </Button>
      </Group>
    </Stack>
  );
}
