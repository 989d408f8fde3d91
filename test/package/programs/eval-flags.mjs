// Programs from the command line with flags of the process beside them: they can be observed.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'

const PROGRAM = "import { observe } from 'loopscope/observe'; const { url } = await observe({ port: 0 }); console.log('observed at', url)"
for (const flag of ['--expose-gc', '--max-old-space-size=300']) {
  const { stdout, stderr } = spawnSync(process.execPath, [flag, '--input-type=module', '-e', PROGRAM], { encoding: 'utf8', timeout: 30_000 })
  assert.match(stdout, /^observed at http/, `${flag}: ${stderr}`)
}
