import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A server's own certificate and key, as PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** An authority of this test alone, in a folder that is deleted at the end of the scope that opened it. */
export interface Authority extends Disposable {
  /** Its certificate, as `NODE_EXTRA_CA_CERTS` takes it. */
  readonly path: string;
  /** Signs a certificate for one name. */
  issue(name: string): Promise<Certificate>;
}

/** Makes an authority that nobody trusts who is not told to. Needs `openssl`. */
export function openAuthority(): Authority {
  const folder = mkdtempSync(join(tmpdir(), "inference-proxy-authority-"));
  const at = (name: string) => join(folder, name);
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const [path, caKey] = [at("ca.pem"), at("ca.key")];
  openssl(["req", "-x509", ...newKey, "-keyout", caKey, "-out", path, "-days", "2"], "Test CA");
  return {
    path,
    issue: async (name) => {
      const [key, request, cert, extensions] = [at("key"), at("csr"), at("cert"), at("ext")];
      openssl(["req", ...newKey, "-keyout", key, "-out", request], name);
      writeFileSync(extensions, `subjectAltName=DNS:${name}\n`);
      const by = ["-CA", path, "-CAkey", caKey, "-CAcreateserial", "-days", "2"];
      openssl(["x509", "-req", "-in", request, ...by, "-extfile", extensions, "-out", cert]);
      return { cert: await Bun.file(cert).text(), key: await Bun.file(key).text() };
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function openssl(command: readonly string[], commonName?: string): void {
  const subject = commonName === undefined ? [] : ["-subj", `/CN=${commonName}`];
  const { exitCode, stderr } = Bun.spawnSync(["openssl", ...command, ...subject]);
  if (exitCode !== 0) throw new Error(`Cannot run openssl: ${stderr.toString()}`);
}
