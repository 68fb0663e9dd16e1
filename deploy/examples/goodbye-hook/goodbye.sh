# Posts one fact: this cluster is deleted. Needs LEDGER_URL, CLUSTER_ID, KEY_FILE and TIMEOUT_SECONDS.
set -eu
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
# The event is written once, so that every attempt posts the same one, and the ledger records it once.
event=$(printf '{"specversion":"1.0","id":"goodbye-%s-%s","source":"/goodbye-hook","subject":"%s","time":"%s","type":"io.clusterledger.cluster.deleted.v1","data":{"reason":"helm uninstall"}}' \
  "$CLUSTER_ID" "$now" "$CLUSTER_ID" "$now")
# A file, so that no other process sees the key among the arguments.
umask 077
printf 'header = "authorization: Bearer %s"\n' "$(cat "$KEY_FILE")" > /tmp/goodbye-key
trap 'rm -f /tmp/goodbye-key' EXIT
# --retry repeats what failed for a while (408, 429, 5xx, no connection) and waits as long as Retry-After says.
answer=$(curl --silent --show-error --fail-with-body --config /tmp/goodbye-key --max-time 30 \
  --retry 1000 --retry-connrefused --retry-max-time "$TIMEOUT_SECONDS" \
  --header 'content-type: application/cloudevents+json' --data "$event" "$LEDGER_URL/v1/events") || {
  echo "the deletion of $CLUSTER_ID was not recorded, so its bill goes on: $answer" >&2
  exit 1
}
echo "recorded: $answer"
