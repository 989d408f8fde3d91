// Reads a large file in one synchronous call: waiting for the disk and processing the content block the thread.
import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { requireIntegerBetween } from './checks.ts'

export interface FileRead {
  bytes: number
  /** SHA-256 of the contents, in hexadecimal digits. */
  checksum: string
}

/**
 * Reads a file of `megabytes` (1 to 256) and returns its size and checksum. The file is in the system's folder for temporary
 * files and is created by the first call. Throws the file system's error if that fails.
 */
export function readFile(megabytes: number): FileRead {
  requireIntegerBetween('readFile', 'megabytes', megabytes, 1, 256)
  const contents = readFileSync(largeFile(megabytes * 1024 * 1024))
  return { bytes: contents.length, checksum: createHash('sha256').update(contents).digest('hex') }
}

function largeFile(bytes: number): string {
  const folder = join(tmpdir(), 'loopscope')
  const path = join(folder, `${bytes}.bin`)
  if (statSync(path, { throwIfNoEntry: false })?.size === bytes) return path
  mkdirSync(folder, { recursive: true })
  // Written under another name first: a thread that reads at the same time must not see half a file.
  const draft = join(folder, `${bytes}.${randomUUID()}.draft`)
  writeFileSync(draft, Buffer.alloc(bytes, 'loopscope '))
  renameSync(draft, path)
  return path
}
