// A program that writes synchronously to a pipe with a slow reader writes everything, even if it is observed.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { observe } from 'loopscope/observe'

const LINES = 500
if (process.argv[2] === 'write') {
  await observe({ port: 0, logStalls: false })
  const line = `${'x'.repeat(1000)}\n`
  for (let at = 0; at < LINES; at++) writeSync(1, line)
  writeSync(2, 'wrote all\n')
} else {
  const command = '"$0" "$1" write | (sleep 2; wc -c)'
  const { stdout, stderr } = spawnSync('sh', ['-c', command, process.execPath, fileURLToPath(import.meta.url)], { encoding: 'utf8' })
  assert.equal(stderr, 'wrote all\n')
  assert.equal(Number(stdout), LINES * 1001)
}
