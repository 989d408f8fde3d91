// What blocks the loop in a coroutine: for no-blocking-calls. Marks as in reported.ts.
import { execSync, exec } from 'node:child_process'
import crypto, { scryptSync as scrypt } from 'crypto'
import * as fs from 'node:fs'
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fromPromise, print, sleep, type Coroutine } from '../../src/index.ts'

const require = createRequire(import.meta.url)
const { gzipSync } = require('node:zlib')
const zlib = require('zlib')
const cell = new Int32Array(new SharedArrayBuffer(4))
declare const files: string[]
declare const store: { saveSync(): void; readFileSync(): void }

export function* blocks(): Coroutine<void> {
  print(readFileSync('a')) // reports blocking
  print(fs.readFileSync('a'), fs.existsSync('a')) // reports blocking, blocking
  print(execSync('true')) // reports blocking
  print(crypto.pbkdf2Sync('a', 'b', 1, 1, 'sha1'), scrypt('a', 'b', 1)) // reports blocking, blocking
  print(gzipSync('a'), zlib.gunzipSync('a'), require('fs').readdirSync('.')) // reports blocking, blocking, blocking
  Atomics.wait(cell, 0, 0, 10) // reports blocking
  print(files.map((file) => readFileSync(file))) // reports blocking
  yield* sleep(1)
}

export function* undeclared() {
  readFileSync('a') // reports blocking
  yield* sleep(1)
}

export function* doesNot(): Coroutine<void> {
  print(yield* fromPromise(readFile('a')))
  exec('true')
  store.saveSync()
  store.readFileSync()
  crypto.randomFillSync(new Uint8Array(8))
  Atomics.notify(cell, 0)
  const readdirSync = (path: string): string => path
  print(readdirSync('.'))
}

export function outside(): unknown {
  return [readFileSync('a'), function* (): Generator<string> { yield readFileSync('a', 'utf8') }]
}
