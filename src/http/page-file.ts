// A file of the live view, wherever it comes from.
export interface PageFile {
  type: string
  read: () => Promise<Buffer>
  /** Its name contains a hash of its content, so it may be cached indefinitely. */
  immutable: boolean
  /** A Content-Security-Policy of its own, if the page's does not suit it. */
  policy: string | null
  /** Its version, so that a browser that has it need not load it again. */
  version: string | null
  /** Reads it compressed by gzip; null if it is sent as it is. */
  packed: (() => Promise<Buffer>) | null
}
