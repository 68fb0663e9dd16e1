import type { Alert } from '../../data/alerts.ts';

type Data = Alert['data'];

/** The texts of an alert. */
export type AlertWords = Pick<Alert, 'happened' | 'bill' | 'next'>;

/** Returns the codes and the detail of the last verdict, for the end of a sentence. */
function seenIn({ code, detail }: Data): string {
  if (code === undefined) return '';
  return detail === undefined ? `：${code}` : `：${code}（${detail}）`;
}

const UNVERIFIABLE_NEXT: Readonly<Record<string, string>> = {
  'no-credential':
    '如果集群已不存在，请停止计费。如果存在，请把凭据放到注册信息所指的位置，或修改注册信息中的 connection。',
  'credential-refused': '请修改凭据中指出的字段。docs/validator.md 列出了可接受的格式。',
  'address-refused': '请在凭据中使用账本可以访问的地址，或允许此地址：validator.probe.addresses.allow。',
  'internal-name': '请在凭据中使用账本所在处可以解析的地址。',
  'source-unreadable': '请恢复该来源的读取。告警 source-unreadable 会指出是哪一个。',
  'network-down': '请为账本所在主机提供到此网络的路由。',
  'prober-failed': '请查看账本的日志。如果再次发生，很可能是此集群的凭据引起的。',
  front: '请询问作出响应的代理或负载均衡器的负责人，为何无法到达 API 服务器。',
};

const NEVER_NEXT: Readonly<Record<string, string>> = {
  'tls-mismatch': '请把集群的证书颁发机构放入其凭据。',
  'name-not-found': '请在凭据中使用账本所在处可以解析的名称。',
  refused: '请检查凭据中的地址和端口。',
  timeout: '请为账本提供到集群的路由：中间可能有防火墙、VPN 或私有端点。',
  'not-kubernetes': '请检查凭据中的地址：响应的并不是 Kubernetes。',
};

const OUTAGE: Readonly<Record<string, (data: Data) => string>> = {
  canary: ({ canaries }) => `已知正常的集群没有响应：${canaries}`,
  all: ({ of }) => `被询问的 ${of} 个集群全部没有响应`,
  ratio: ({ bad, of }) => `${of} 个集群中有 ${bad} 个同时停止响应，或首次询问时没有响应`,
};

const SOME_TIME_AGO = '一段时间以前';
const STOP_COMMAND = 'cluster-ledger undecided stop';

/** The texts of every kind of alert in Chinese. */
export const CHINESE: Readonly<Record<Alert['kind'], (subject: string, data: Data) => AlertWords>> = {
  'orphan-facts': (subject) => ({
    happened: `集群 ${subject} 已有事实记录，但 15 分钟内没有注册`,
    bill: '该集群不计费：没有注册就不属于任何账户。',
    next: '请查明是谁创建了该集群，并从其创建时起注册。如果它从未存在，请作废这些事实。',
  }),
  'event-rejected': (_, { source, id, clusterId, code, count, actor }) => ({
    happened:
      count === undefined
        ? `来自 ${source} 的事件 ${id}${clusterId === '' ? '' : `（集群 ${clusterId}）`}被拒绝：${code}${actor === undefined ? '' : `；提交者：${actor}`}`
        : `此前还有 ${count} 个事件被拒绝`,
    bill: '该事件对任何账单都没有影响。',
    next: '请查看被拒绝的事件。排除原因后重试该事件；如果事件本身有误，请确认此告警。',
  }),
  'cluster-unreachable': (subject, data) => ({
    happened: `集群 ${subject} 自 ${data['since'] ?? SOME_TIME_AGO} 起没有响应${seenIn(data)}`,
    bill: '目前没有影响：在策略规定的无法访问时间之前，集群继续计费。',
    next: '请询问其所有者该集群是否仍然存在。如果不存在，请将其删除。如果存在，请查明账本为何无法访问它。',
  }),
  'billing-stopped-unreachable': (subject, data) => ({
    happened: `集群 ${subject} 自 ${data['since'] ?? SOME_TIME_AGO} 起停止计费：无法访问${seenIn(data)}`,
    bill: '从那时起该集群不计费，直到它再次响应。',
    next: '如果集群已不存在，请将其删除。如果仍在运行，请查明账本为何无法访问它。如果停止有误，请作废该停止。',
  }),
  'billing-stopped-missing': (subject, { since }) => ({
    happened: `集群 ${subject} 自 ${since ?? SOME_TIME_AGO} 起停止计费：平台不再列出它`,
    bill: '从那时起该集群不计费，直到平台再次列出它或它有响应。',
    next: '如果集群已不存在，请将其删除。如果仍在运行，请查明平台为何不列出它。如果停止有误，请作废该停止。',
  }),
  'alive-after-delete': (subject, { deletedAt }) => ({
    happened: `集群 ${subject} 已于 ${deletedAt} 删除，但仍有响应`,
    bill: '自删除起该集群不计费，尽管可能有人仍在使用。',
    next: '请检查删除是否失败。如果失败，请作废该删除。如果仍在进行，请等待或确认此告警。',
  }),
  'mass-unreachable': (_, data) => ({
    happened: (OUTAGE[String(data['why'])] ?? (() => '过多集群同时变差'))(data),
    bill: '没有影响：在此期间，不对没有响应的集群作出判定，也不停止计费。',
    next: '请检查账本的网络、DNS 和凭据。如果集群确实已不存在，请决定继续。',
  }),
  flapping: (subject, { flips }) => ({
    happened: `集群 ${subject} 在 24 小时内有 ${flips} 次在可访问与不可访问之间变化`,
    bill: '没有影响：在集群稳定一小时之前，不对其作出判定。',
    next: '请查明其 API 服务器为何时断时续。',
  }),
  unverifiable: (subject, data) => ({
    happened: `自 ${data['since']} 起无法查询集群 ${subject}${seenIn(data)}`,
    bill: '没有影响：集群按其事实计费，但账本无法验证它是否存在。',
    next: UNVERIFIABLE_NEXT[String(data['code'])] ?? '请在 docs/validator.md 中查看此代码。',
  }),
  'never-verified': (subject, data) => ({
    happened: `集群 ${subject} 注册于 ${data['registeredAt']}，自 ${data['since']} 首次查询以来从未存活过${seenIn(data)}`,
    bill: '没有影响：集群继续计费。从未存活过的集群不会仅因没有响应而停止计费。',
    next: `请查明该集群是否存在。如果已不存在，请从其消失时起停止计费：${STOP_COMMAND}。如果存在，${NEVER_NEXT[String(data['code'])] ?? '请查明账本为何无法访问它。'}`,
  }),
  'credential-expired': (subject, data) => ({
    happened:
      data['code'] === 'front'
        ? `自 ${data['since']} 起，集群 ${subject} 前面的设备拒绝账本${seenIn(data)}`
        : `自 ${data['since']} 起，集群 ${subject} 有响应，但不接受账本的凭据${seenIn(data)}`,
    bill: '没有影响：集群继续计费。账本不再检查它是否为同一集群。',
    next: '请更换凭据。docs/validator.md 说明了如何创建不会过期的凭据。',
  }),
  'certificate-expired': (subject, data) => ({
    happened: `自 ${data['since']} 起，集群 ${subject} 的 API 服务器证书当前无效${seenIn(data)}`,
    bill: '没有影响：集群继续计费，因为证书由其自己的颁发机构签署。',
    next: '请集群所有者续期证书。其用户同样无法连接。',
  }),
  'source-unreadable': (subject, { why, since }) => ({
    happened: `自 ${since} 起无法读取 ${subject}：${why}`,
    bill: '在恢复读取之前，只由此来源报告的删除会被遗漏。其集群照常计费。',
    next: '请恢复读取：检查网络、kubeconfig 和账本的角色。之后的列表会显示期间的变化。',
  }),
  'stop-unconfirmed': (subject, data) => ({
    happened: `集群 ${subject} 自 ${data['since']} 起没有响应${seenIn(data)}，其平台${data['inventory'] === 'listed' ? '仍列出它' : '无法查询'}`,
    bill: '集群仍在计费：所见情况不能证明它已不存在，平台也没有这样说明。',
    next:
      data['code'] === 'tls-mismatch'
        ? `如果集群更换了证书颁发机构，请把新的放入其凭据。如果集群已不存在，请停止计费：${STOP_COMMAND}。`
        : `请查明集群为何没有响应。如果已不存在，请停止计费：${STOP_COMMAND}。`,
  }),
  'billed-but-missing': (subject, data) => ({
    happened: `集群 ${subject} 已注册，但其平台不再列出它${data['lastListedAt'] === undefined ? '' : `；上次列出于 ${data['lastListedAt']}`}${data['answers'] === undefined ? '' : '。它仍有响应'}`,
    bill: `该集群可能已不存在，但仍在计费。${missingEffect(data)}`,
    next: `如果集群已不存在，请从其移除时起将其删除，或停止计费：${STOP_COMMAND}。如果存在，请查明平台为何不再列出它。`,
  }),
  'running-but-unregistered': (subject, { source }) => ({
    happened:
      source === 'telemetry'
        ? `${subject} 发送遥测数据，但没有对应的集群注册`
        : `平台列出了 ${subject}，但没有对应的集群注册`,
    bill: '该集群正在运行但不计费。',
    next: '请从其创建时起注册该集群，或将其移除。',
  }),
  'validator-stale': () => ({
    happened: '校验器已连续 3 个周期没有完成运行',
    bill: '目前没有影响：已不存在的集群不会被发现，仍在计费。',
    next: '请查看最近的运行以及账本进程的日志。',
  }),
  'deletion-stuck': (subject, { confirmedAt }) => ({
    happened: `集群 ${subject} 的删除于 ${confirmedAt} 确认，2 小时后仍未完成`,
    bill: '该集群仍在计费：只有删除完成才会结束计费。',
    next: '请查明负责删除集群的应用程序是否收到了确认。如果集群已不存在，请提交从其移除时起的 cluster.deleted。如果应保留，请取消删除。',
  }),
  'late-facts': (subject, { facts, period, adjusted, leftOut, statement }) => ({
    happened: `${facts} 个事实改变了账户 ${subject} 在已关闭账期（从 ${period} 起）的用量`,
    bill:
      adjusted === 0
        ? '没有影响：账单从不包含计费开始之前的用量。'
        : `${statement} 的账单包含相应的调整，除非各项变化相互抵消。${leftOut === 0 ? '' : '计费开始之前的用量不在任何账单中。'}`,
    next: '无需操作。下一份账单的预览会显示数额。',
  }),
  'count-jump': (subject, { before, after }) => ({
    happened: `账户 ${subject} 当前计费 ${after} 个集群；一天前为 ${before} 个`,
    bill: '本身无影响：这些集群按各自的事实计费。',
    next: '请确认是否真的创建或删除了这么多集群。如果是生产者出错，请作废其事实。',
  }),
  'limit-reached': (_, { clusterType, limit, billed }) => ({
    happened:
      clusterType === '*'
        ? `正在计费 ${billed} 个集群，套餐上限为 ${limit}`
        : `正在计费 ${billed} 个类型为 ${clusterType} 的集群，套餐上限为 ${limit}`,
    bill: '没有影响：上限不影响计费。',
    next: '请删除不需要的集群，或在账户资料中提高上限。',
  }),
  'id-differs-by-case': (subject, { other }) => ({
    happened: `集群 ID ${subject} 与 ${other} 仅大小写不同`,
    bill: '两者都计费：ID 按原样比较。',
    next: '如果两者是同一集群，请作废其中一个的事实。如果不是，请确认此告警。',
  }),
  'event-id-on-two-clusters': (_, { source, id, clusterId, otherClusterId }) => ({
    happened: `来自 ${source} 的事件 ${id} 先后为集群 ${otherClusterId} 和集群 ${clusterId} 提交`,
    bill: '两个事实都有效：只有在同一集群内，事件才视为重复。',
    next: '如果第二个是为了更正错误的对象，请作废错误集群的事实。如果不是，请确认此告警。',
  }),
  'clock-untrusted': (_, { why }) => ({
    happened: `主机的时钟不可信：${why}`,
    bill: '不关闭任何账期，校验器不作记录。事实照常记录。',
    next: '请将时钟与时间服务器比较。如果有误，请校正。如果正确，请用 cluster-ledger clock trust --reason … 确认。',
  }),
  'key-expiring': (subject, { name, role, expiresAt }) => ({
    happened: `${name} 的密钥 ${subject}（${role}）将于 ${expiresAt} 过期`,
    bill: '对账本没有影响。此后该用户的提交和读取将被拒绝。',
    next: '请以相同的名称和角色创建新密钥并交付，然后吊销此密钥：`cluster-ledger keys create`、`cluster-ledger keys revoke <id>`。',
  }),
  'delivery-parked': (_, { url, parked, error }) => ({
    happened: `接收方 ${url} 每次都拒绝了 ${parked} 条消息：${error}`,
    bill: '账本中没有影响。接收方不知道这些事实。',
    next: '请修复接收方，然后重新发送这些消息。',
  }),
  'webhook-disabled': (_, { url, reason }) => ({
    happened: `不再向接收方 ${url} 发送任何内容：${reason}`,
    bill: '账本中没有影响。接收方收不到事件。',
    next: '请修复接收方，然后启用此 Webhook。它会从停止处继续。',
  }),
  'statement-drift': (subject, { why }) => ({
    happened: `${subject} 的账单与关闭时不同：${why}`,
    bill: '已发送的账单无法重现。',
    next: '在查明原因之前，请勿用此账本计费。请将其与该账期的证据文件比较。',
  }),
  'log-tampered': (_, { why }) => ({
    happened: `日志与签名不符：${why}`,
    bill: '在查明原因之前，任何数字都不可信。',
    next: '请保持存储不变，并将其与另一方保存的检查点和副本比较。',
  }),
  'log-behind': (_, { why }) => ({
    happened: `缺少已确认的事件：${why}`,
    bill: '数字中缺少这些事实。不记录事实，也不关闭账期。',
    next: '请停止账本，并恢复最新的存储备份及其 -wal。如果没有备份，请接受损失：cluster-ledger log accept-loss --reason …。然后请重新提交缺少的事实。',
  }),
};

function missingEffect({ held, stopsAt }: Data): string {
  if (held === 'host') return '其管理集群的记录也已消失。';
  if (held === 'mass') return '同时消失的集群过多，无法断定它已不存在。';
  return stopsAt === undefined ? '' : `除非再次列出，计费将于 ${stopsAt} 停止，从上次列出时起算。`;
}
