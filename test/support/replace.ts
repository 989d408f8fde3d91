// Puts a fault into a copy of the sources.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface Replacement {
  file: string
  was: string
  now: string
}

/** Replaces a text in a file below `folder`; throws unless it is there exactly once. */
export async function replaceOnce(folder: string, { file, was, now }: Replacement): Promise<void> {
  const path = join(folder, file)
  const text = await readFile(path, 'utf8')
  const found = text.split(was).length - 1
  if (found !== 1) throw new Error(`${file} has the text to break ${found} times, not once:\n${was}`)
  await writeFile(path, text.replace(was, () => now))
}
