// Files of /proc that are read repeatedly.
import { closeSync, openSync, readSync } from 'node:fs'

/** Its text is '' if it is missing. */
export class ProcFile {
  readonly #path: string
  readonly #buffer: Buffer
  #file: number | null | undefined

  constructor(path: string, bytes: number) {
    this.#path = path
    this.#buffer = Buffer.alloc(bytes)
  }

  read(): string {
    if (this.#file === null) return ''
    try {
      this.#file ??= openSync(this.#path, 'r')
      return this.#buffer.toString('latin1', 0, readSync(this.#file, this.#buffer, 0, this.#buffer.length, 0))
    } catch {
      this.close()
      return ''
    }
  }

  close(): void {
    const file = this.#file
    this.#file = null
    if (typeof file === 'number') closeSync(file)
  }
}

/** The fields of a thread's `stat` after its name, which may contain anything. The first is its state. */
export function afterName(status: string): string[] {
  return status.slice(status.lastIndexOf(')') + 2).split(' ')
}
