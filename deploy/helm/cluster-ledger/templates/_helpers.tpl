{{- define "cluster-ledger.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "cluster-ledger.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "cluster-ledger.selectorLabels" -}}
app.kubernetes.io/name: {{ include "cluster-ledger.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: ledger
{{- end }}

{{- define "cluster-ledger.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "cluster-ledger.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "cluster-ledger.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "cluster-ledger.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "cluster-ledger.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}
{{- end }}

{{- /*
What the ledger may do with the Secrets of each namespace, from the sources in config that are in this cluster, as JSON:
{ "argocd": ["list"], "kubefirst": ["list", "watch"] }. The namespace "*" stands for all.
*/ -}}
{{- define "cluster-ledger.secretVerbs" -}}
{{- $verbs := dict }}
{{- $credentials := dig "validator" "credentials" dict .Values.config }}
{{- $shared := pick $credentials "argocd" "clusterApi" "secrets" }}
{{- $sources := list }}
{{- if dig "managementCluster" "inCluster" false $credentials }}
{{- $sources = append $sources $shared }}
{{- end }}
{{- range $name, $cluster := (default dict $credentials.managementClusters) }}
{{- if $cluster.inCluster }}
{{- $own := pick $cluster "argocd" "clusterApi" "secrets" }}
{{- $sources = append $sources (ternary $own $shared (gt (len $own) 0)) }}
{{- end }}
{{- end }}
{{- range $source := $sources }}
{{- if hasKey $source "argocd" }}
{{- range $namespace := (default (list "argocd") (default dict $source.argocd).namespaces) }}
{{- $_ := set $verbs $namespace (append (default list (index $verbs $namespace)) "list") }}
{{- end }}
{{- end }}
{{- if hasKey $source "clusterApi" }}
{{- range $namespace := (default (list "*") (default dict $source.clusterApi).namespaces) }}
{{- $_ := set $verbs $namespace (append (default list (index $verbs $namespace)) "list") }}
{{- end }}
{{- end }}
{{- if hasKey $source "secrets" }}
{{- range $namespace := $source.secrets.namespaces }}
{{- $_ := set $verbs $namespace (append (default list (index $verbs $namespace)) "get") }}
{{- end }}
{{- end }}
{{- end }}
{{- $records := dig "kubefirst" "records" list .Values.config }}
{{- if kindIs "map" $records }}
{{- $records = list $records }}
{{- end }}
{{- range $record := $records }}
{{- $named := dig (default "default" $record.name) dict (default dict $credentials.managementClusters) }}
{{- $cluster := default (default (default dict $credentials.managementCluster) $named) $record.managementCluster }}
{{- if $cluster.inCluster }}
{{- $namespace := default "kubefirst" $record.namespace }}
{{- $_ := set $verbs $namespace (concat (default list (index $verbs $namespace)) (list "list" "watch")) }}
{{- end }}
{{- end }}
{{- $result := dict }}
{{- range $namespace, $all := $verbs }}
{{- $_ := set $result $namespace ($all | uniq | sortAlpha) }}
{{- end }}
{{- toJson $result }}
{{- end }}

{{- /* The pod of the ledger, of the Deployment and of the StatefulSet alike. */ -}}
{{- define "cluster-ledger.pod" -}}
{{- $readsCluster := gt (len (include "cluster-ledger.secretVerbs" . | fromJson)) 0 }}
metadata:
  labels:
    {{- include "cluster-ledger.selectorLabels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    # A change of the settings starts new pods.
    checksum/config: {{ toJson .Values.config | sha256sum }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "cluster-ledger.serviceAccountName" . }}
  # The token is mounted only if the ledger reads Secrets of this cluster.
  automountServiceAccountToken: {{ $readsCluster }}
  # Variables of services, such as LEDGER_PORT of a service with the name ledger, would be taken for settings.
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  containers:
    - name: ledger
      image: {{ include "cluster-ledger.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      securityContext:
        {{- toYaml .Values.securityContext | nindent 8 }}
      ports:
        - name: http
          containerPort: 8400
          protocol: TCP
      env:
        - name: LEDGER_CONFIG
          value: /etc/cluster-ledger/ledger.yaml
        - name: LEDGER_HTTP_PORT
          value: "8400"
        {{- range $variable, $key := dict "LEDGER_BOOTSTRAP_KEY_FILE" "bootstrapKey" "LEDGER_STORE_FILE" "store" "LEDGER_AUDIT_KEY_FILE" "logKey" "LEDGER_WEBHOOKS_KEY_FILE" "webhookKey" "LEDGER_SESSIONS_KEY_FILE" "sessionKey" }}
        {{- if index $.Values.secret.keys $key }}
        - name: {{ $variable }}
          value: /run/secrets/cluster-ledger/{{ $key }}
        {{- end }}
        {{- end }}
        {{- with .Values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      volumeMounts:
        - name: data
          mountPath: /data
        - name: config
          mountPath: /etc/cluster-ledger
          readOnly: true
        - name: secrets
          mountPath: /run/secrets/cluster-ledger
          readOnly: true
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      # The first start reads the whole log.
      startupProbe:
        httpGet:
          path: /livez
          port: http
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 120
      livenessProbe:
        httpGet:
          path: /livez
          port: http
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet:
          path: /readyz
          port: http
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 2
      lifecycle:
        preStop:
          exec:
            command: [sleep, {{ .Values.preStopSeconds | quote }}]
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
  volumes:
    - name: config
      configMap:
        name: {{ include "cluster-ledger.fullname" . }}
    - name: secrets
      secret:
        secretName: {{ default (include "cluster-ledger.fullname" .) .Values.secret.name }}
        # Root and the group of the ledger may read them.
        defaultMode: 288 # 0440
        items:
          {{- range $key, $file := dict "bootstrapKey" "bootstrapKey" "store" "store" "logKey" "logKey" "webhookKey" "webhookKey" "sessionKey" "sessionKey" "storeCa" "store-ca.crt" }}
          {{- with index $.Values.secret.keys $key }}
          - key: {{ . | quote }}
            path: {{ $file }}
          {{- end }}
          {{- end }}
    {{- if eq .Values.store.type "eventstoredb" }}
    # Snapshots, which can be made again.
    - name: data
      emptyDir: {}
    {{- end }}
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  topologySpreadConstraints:
    {{- if .Values.topologySpreadConstraints }}
    {{- toYaml .Values.topologySpreadConstraints | nindent 4 }}
    {{- else }}
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "cluster-ledger.selectorLabels" . | nindent 10 }}
    {{- end }}
{{- end }}
