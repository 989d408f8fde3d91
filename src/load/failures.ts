// Kinds of failure, as text: what happened instead of an answer.

/** Failures that mean that the target is gone. */
const GONE = new Set(['connection refused', 'connection reset', 'connection closed', 'host unreachable', 'host unknown'])

const BY_CODE: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  UND_ERR_SOCKET: 'connection closed',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  ETIMEDOUT: 'no connection in time',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'host unreachable',
  EADDRNOTAVAIL: 'no free port on this machine',
  EMFILE: 'too many open files on this machine',
  ENFILE: 'too many open files on this machine',
  ENOTFOUND: 'host unknown',
  EAI_AGAIN: 'host unknown',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'answer cut short',
  UND_ERR_HEADERS_OVERFLOW: 'answer with too large headers',
  EPROTO: 'no TLS there',
  ERR_SSL_WRONG_VERSION_NUMBER: 'no TLS there',
}

/** The kind of this failure. */
export function kindOf(error: unknown): string {
  const all = error instanceof AggregateError ? [error, ...(error.errors as unknown[])] : [error]
  for (const one of all) {
    const { code } = one as { code?: unknown }
    if (typeof code !== 'string') continue
    const kind = BY_CODE[code]
    if (kind !== undefined) return kind
    if (code.startsWith('HPE_')) return 'no HTTP answer'
    if (/CERT|SELF_SIGNED|TLS|SSL/.test(code)) return `TLS: ${code}`
    return code
  }
  return error instanceof Error ? error.message : String(error)
}

/** Whether a target that only fails in this way counts as gone. */
export function isGone(kind: string): boolean {
  return GONE.has(kind)
}
