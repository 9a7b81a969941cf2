{{- define "eventgate.name" -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- define "eventgate.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "eventgate.labels" -}}
{{ include "eventgate.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "eventgate.port" -}}{{ .Values.config.port | default 8192 | int }}{{- end }}

{{/* The port of the first metrics entry; empty if metrics are off. */}}
{{- define "eventgate.metricsPort" -}}
{{- if not (hasKey .Values.config "metrics") }}9102
{{- else if kindIs "map" .Values.config.metrics }}{{ .Values.config.metrics.port | default 9102 | int }}
{{- else if .Values.config.metrics }}{{ (first .Values.config.metrics).port | default 9102 | int }}
{{- end }}
{{- end }}

{{/* shutdown_timeout in whole seconds, rounded up. */}}
{{- define "eventgate.shutdownSeconds" -}}
{{- $text := .Values.config.shutdown_timeout | default "30s" }}
{{- $number := regexFind "^[0-9]+" $text | int }}
{{- if hasSuffix "ms" $text }}{{ div (add $number 999) 1000 }}
{{- else if hasSuffix "m" $text }}{{ mul $number 60 }}
{{- else }}{{ $number }}
{{- end }}
{{- end }}

{{/* What is merged over the image's config. Options that name the chart's own files come from the chart. */}}
{{- define "eventgate.config" -}}
{{- $config := deepCopy .Values.config }}
{{- if .Values.streams }}{{ $_ := set $config "stream_config_uri" "/etc/eventgate-chart/stream-config.yaml" }}{{ end }}
{{- $bases := .Values.schemaBaseUris }}
{{- if .Values.schemas }}
{{- $others := $bases | default .Values.config.schema_base_uris | default (list "/usr/share/eventgate/schemas") }}
{{- if kindIs "string" $others }}{{ $others = list $others }}{{ end }}
{{- $bases = prepend $others "/etc/eventgate-schemas" }}
{{- end }}
{{- if $bases }}{{ $_ := set $config "schema_base_uris" $bases }}{{ end }}
{{- if .Values.spool.enabled }}
{{- $_ := set $config "spool" (merge (dict "path" "/var/lib/eventgate/spool") ($config.spool | default dict)) }}
{{- end }}
{{- toYaml $config }}
{{- end }}

{{/* A key of a ConfigMap has no slash. */}}
{{- define "eventgate.schemaKey" -}}{{ replace "/" "__" . }}{{- end }}

{{/* The pod, of a Deployment or a StatefulSet. */}}
{{- define "eventgate.pod" -}}
metadata:
  labels:
    {{- include "eventgate.labels" . | nindent 4 }}
    {{- with .Values.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  annotations:
    # A changed config makes new pods.
    checksum/config: {{ list (include "eventgate.config" .) .Values.streams .Values.schemas | toJson | sha256sum }}
    {{- with .Values.podAnnotations }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  # preStop, shutdown_timeout, and a reserve.
  terminationGracePeriodSeconds: {{ add (include "eventgate.shutdownSeconds" . | int) .Values.preStopSeconds 5 }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile: {type: RuntimeDefault}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity: {{ toYaml . | nindent 4 }}
  {{- end }}
  topologySpreadConstraints:
  {{- if .Values.topologySpreadConstraints }}{{ toYaml .Values.topologySpreadConstraints | nindent 4 }}
  {{- else }}
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels: {{ include "eventgate.selector" . | nindent 10 }}
  {{- end }}
  containers:
    - name: eventgate
      image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        - serve
        - -c
        - /etc/eventgate/config.yaml
        - -c
        - /etc/eventgate-chart/config.yaml
        {{- if .Values.secretConfig }}
        - -c
        - /etc/eventgate-secret/config.yaml
        {{- end }}
      {{- with .Values.env }}
      env: {{ toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - {name: http, containerPort: {{ include "eventgate.port" . }}}
        {{- with include "eventgate.metricsPort" . }}
        - {name: metrics, containerPort: {{ . }}}
        {{- end }}
      startupProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 1, failureThreshold: 60}
      livenessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 10, timeoutSeconds: 5}
      # Not ready while it cannot produce, or is stopping.
      readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 2, timeoutSeconds: 1}
      lifecycle: {preStop: {exec: {command: [sleep, {{ .Values.preStopSeconds | quote }}]}}}
      resources: {{ toYaml .Values.resources | nindent 8 }}
      securityContext:
        readOnlyRootFilesystem: true
        allowPrivilegeEscalation: false
        capabilities: {drop: [ALL]}
      volumeMounts:
        - {name: state, mountPath: /var/lib/eventgate}
        - {name: config, mountPath: /etc/eventgate-chart, readOnly: true}
        {{- if .Values.schemas }}
        - {name: schemas, mountPath: /etc/eventgate-schemas, readOnly: true}
        {{- end }}
        {{- if .Values.secretConfig }}
        - {name: secret, mountPath: /etc/eventgate-secret, readOnly: true}
        {{- end }}
        {{- with .Values.extraVolumeMounts }}{{ toYaml . | nindent 8 }}{{ end }}
  volumes:
    - {name: config, configMap: {name: {{ include "eventgate.name" . }}}}
    {{- if not .Values.spool.enabled }}
    - {name: state, emptyDir: {}}
    {{- end }}
    {{- if .Values.schemas }}
    - name: schemas
      configMap:
        name: {{ include "eventgate.name" . }}-schemas
        items:
        {{- range $path, $_ := .Values.schemas }}
          - {key: {{ include "eventgate.schemaKey" $path }}, path: {{ $path }}}
        {{- end }}
    {{- end }}
    {{- with .Values.secretConfig }}
    - {name: secret, secret: {secretName: {{ . }}}}
    {{- end }}
    {{- with .Values.extraVolumes }}{{ toYaml . | nindent 4 }}{{ end }}
{{- end }}
