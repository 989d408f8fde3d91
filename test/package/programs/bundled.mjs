// A program that is bundled with all its imports is observed, or gets an error that the package must stay outside the bundle;
// a file of the program itself never runs as the observer.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'

const SOURCE = `import { observe } from 'loopscope/observe'
observe({ port: 0 }).then(({ url }) => console.log('observed at', url), error => console.log('not observed:', error.message))`
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"
const folder = mkdtempSync(join(tmpdir(), 'loopscope-bundled-'))
process.on('exit', () => rmSync(folder, { recursive: true }))
writeFileSync(join(folder, 'worker.js'), "console.log('a file of the program runs as the observer')")
for (const [format, extension, banner] of [['cjs', 'cjs', ''], ['esm', 'mjs', REQUIRE]]) {
  const outfile = join(folder, `app.${extension}`)
  await build({
    stdin: { contents: SOURCE, resolveDir: import.meta.dirname }, bundle: true, platform: 'node', format, outfile, banner: { js: banner }, logLevel: 'silent',
  })
  const { stdout, stderr } = spawnSync(process.execPath, [outfile], { encoding: 'utf8', timeout: 30_000 })
  assert.match(stdout, /^(observed at http|not observed: .*(bundle|external))/, `${format}: ${stdout}${stderr}`)
}
