/** The name of the service, of its user and of its folders. */
export const SERVICE = "inference-proxy";

/** Where an installed proxy has its parts. */
export const PLACES = {
  binary: `/usr/local/bin/${SERVICE}`,
  unit: `/etc/systemd/system/${SERVICE}.service`,
  /** What `systemctl edit` writes. */
  dropIns: `/etc/systemd/system/${SERVICE}.service.d`,
  sysusers: `/etc/sysusers.d/${SERVICE}.conf`,
  configuration: `/etc/${SERVICE}`,
  masterKey: `/etc/${SERVICE}/master.key`,
  settings: `/etc/default/${SERVICE}`,
  dataDir: `/var/lib/${SERVICE}`,
} as const;
