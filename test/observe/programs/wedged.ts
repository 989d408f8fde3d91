// A program whose loop is blocked from a SIGUSR2 until a line arrives on standard input.
import { readSync } from 'node:fs'
import { observe } from '../../../src/observe/index.ts'

const { url } = await observe({ port: 0, wedgedMs: 300 })

function waitsForALine(): void {
  readSync(0, Buffer.alloc(16))
  console.log('continues')
}

process.on('SIGUSR2', waitsForALine)
/** Limits its life. */
setTimeout(() => process.exit(1), 60_000)
console.log(`observer ${url}`)
