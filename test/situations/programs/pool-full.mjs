// The pool of libuv is full, and so is a thread of its own: the loop turns, and nothing blocks it.
// asks: /wait /file
// expects: nothing
import { pbkdf2 } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import { serve } from './serve.mjs'

new Worker('const until = performance.now() + 2000; while (performance.now() < until);', { eval: true })
for (let at = 0; at < 4; at++) pbkdf2('secret', 'salt', 400_000, 64, 'sha512', () => {})
serve({ '/file': async () => (await readFile(new URL(import.meta.url))).length })
