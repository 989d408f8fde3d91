// CPython's files, which the server has beside the page. Nothing is loaded from elsewhere.
import type { PythonFile, PythonFiles } from './messages.ts'

/** Each file with its size in bytes: most of what comes is compressed, and only the size afterwards can be counted. */
const SIZES: Record<PythonFile, number> = {
  'pyodide.asm.wasm': 9_600_000, 'python_stdlib.zip': 2_550_000, 'pyodide.asm.mjs': 1_250_000, 'pyodide-lock.json': 119_000, 'pyodide.mjs': 18_000,
}
const TOTAL = Object.values(SIZES).reduce((sum, size) => sum + size, 0)

/** Fetches them; `progress` gets the bytes that have come, and those of all. Throws an Error with the server's reason if they are not there. */
export async function fetchPython(progress: (bytes: number, of: number) => void): Promise<PythonFiles> {
  let come = 0
  const add = (bytes: number): void => progress(Math.min(TOTAL, come += bytes), TOTAL)
  const files = await Promise.all(Object.keys(SIZES).map(async (name) => [name, await fetchFile(`python/${name}`, add)] as const))
  return Object.fromEntries(files) as PythonFiles
}

async function fetchFile(path: string, add: (bytes: number) => void): Promise<Blob> {
  const response = await fetch(new URL(path, document.baseURI))
  if (!response.ok || response.body === null) throw new Error(await reasonOf(response))
  const counted = response.body.pipeThrough(new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      add(chunk.byteLength)
      controller.enqueue(chunk)
    },
  }))
  return new Response(counted).blob()
}

async function reasonOf(response: Response): Promise<string> {
  try {
    const { message } = await response.json() as { message: string }
    return message
  } catch {
    return `the server did not send CPython: it answered ${response.status}`
  }
}
