// readFileSync of a pipe whose writer is slow.
// asks: /wait /config
// expects: function=config line=here kind=system-call request=/config
import { execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve } from './serve.mjs'

const pipe = join(mkdtempSync(join(tmpdir(), 'pipe-')), 'config')
execFileSync('mkfifo', [pipe])

function config() {
  return readFileSync(pipe, 'utf8') // here
}

serve({ '/config': () => {
  spawn('sh', ['-c', `sleep 0.8; echo ready > ${pipe}`])
  return config()
} })
