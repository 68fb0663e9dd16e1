import { Button, FileInput, Group, Stack, Text, Textarea, Title } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { evidenceHref, logKeyQuery } from '../../data/replay.ts';
import { verifyInBrowser } from '../../data/verifier.ts';
import { Icon } from '../../ui/icons.tsx';
import { Empty, Failed } from '../../ui/states.tsx';
import { VerdictView } from './verdict-view.tsx';

/** The evidence file of a period, and the check of any such file in this browser. */
export default function Evidence({
  accountId,
  period,
}: {
  readonly accountId: string | undefined;
  readonly period: string;
}) {
  const { t } = useTranslation('replay');
  return (
    <Stack gap="xl">
      <section aria-labelledby="evidence">
        <Title order={2} id="evidence">
          {t('evidence.title')}
        </Title>
        <Text size="sm" c="dimmed" mb="sm">
          {t('evidence.lead')}
        </Text>
        {accountId === undefined ? (
          <Empty title={t('choose')}>{t('chooseDetail')}</Empty>
        ) : (
          <Button
            component="a"
            href={evidenceHref(accountId, period)}
            download
            leftSection={<Icon name="download" size={16} />}
          >
            {t('evidence.save', { period })}
          </Button>
        )}
      </section>
      <Verification />
    </Stack>
  );
}

function Verification() {
  const { t } = useTranslation('replay');
  const [file, setFile] = useState<File | null>(null);
  const [keys, setKeys] = useState('');
  const [older, setOlder] = useState('');
  const published = useQuery({ ...logKeyQuery, enabled: false });
  const verifying = useMutation({
    mutationFn: async (chosen: File) =>
      verifyInBrowser({
        file: await chosen.arrayBuffer(),
        keys: keys.split('\n').filter((line) => line.trim() !== ''),
        olderCheckpoint: older.trim() === '' ? undefined : `${older.trimEnd()}\n`,
      }),
  });
  const isOfLedger = published.data !== undefined && published.data.trim() === keys.trim();
  const canVerify = file !== null && keys.trim() !== '';
  return (
    <section aria-labelledby="verify">
      <Title order={2} id="verify">
        {t('verify.title')}
      </Title>
      <Text size="sm" c="dimmed" mb="sm">
        {t('verify.lead')}
      </Text>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (file !== null && canVerify) verifying.mutate(file);
        }}
      >
        <Stack gap="md" maw={720}>
          <FileInput
            label={t('verify.file')}
            placeholder={t('verify.choose')}
            classNames={{ placeholder: 'placeholder' }}
            accept="application/json,.json"
            value={file}
            onChange={(chosen) => {
              setFile(chosen);
              verifying.reset();
            }}
            clearable
            clearButtonProps={{ 'aria-label': t('verify.clear') }}
          />
          <PastedText
            name="keys"
            value={keys}
            onChange={(text) => {
              setKeys(text);
              verifying.reset();
            }}
          />
          <Group>
            <Button
              variant="default"
              size="xs"
              loading={published.isFetching}
              onClick={() =>
                void published.refetch().then(({ data }) => data !== undefined && setKeys(data.trim()))
              }
            >
              {t('verify.useKeys')}
            </Button>
          </Group>
          {published.error !== null && <Failed error={published.error} />}
          <PastedText
            name="older"
            value={older}
            onChange={(text) => {
              setOlder(text);
              verifying.reset();
            }}
          />
          <Group>
            <Button type="submit" disabled={!canVerify} loading={verifying.isPending}>
              {t('verify.do')}
            </Button>
          </Group>
          {verifying.error !== null && <Failed error={verifying.error} />}
          {verifying.data !== undefined && <VerdictView verdict={verifying.data} isOfLedger={isOfLedger} />}
        </Stack>
      </form>
    </section>
  );
}

/** A field for lines that are pasted: keys, or a checkpoint. */
function PastedText({
  name,
  value,
  onChange,
}: {
  readonly name: 'keys' | 'older';
  readonly value: string;
  readonly onChange: (text: string) => void;
}) {
  const { t } = useTranslation('replay');
  return (
    <Textarea
      label={t(`verify.${name}`)}
      description={t(`verify.${name}Detail`)}
      value={value}
      onChange={({ currentTarget }) => onChange(currentTarget.value)}
      autosize
      minRows={2}
      spellCheck={false}
      classNames={{ input: 'mono-input' }}
    />
  );
}
