// Which processes are watched, and with which options.
import t from 'tap'
import { UsageError } from '../../src/command/arguments.ts'
import { fromVariables, isDescendant, ofDescendant, toVariables } from '../../src/start/options.ts'
import { isStarter } from '../../src/start/starters.ts'

t.test('package managers and commands that only start a program are not watched', async (t) => {
  const starters = [
    '/usr/bin/npm', '/usr/lib/node_modules/npm/bin/npm-cli.js', '/usr/bin/npx', '/app/.yarn/releases/yarn-4.9.1.cjs', '/usr/bin/pnpm', '/home/a/.cache/corepack/corepack.js',
    '/app/node_modules/.bin/tsx', '/app/node_modules/tsx/dist/cli.mjs', 'C:\\app\\node_modules\\nodemon\\bin\\nodemon.js', '/app/node_modules/.bin/loopscope', '/app/node_modules/npm/lib/cli.js',
  ]
  t.same(starters.filter((path) => !isStarter(path)), [])
  const programs = [undefined, '/app/server.js', '/app/npm/server.js', '/app/tsx.ts', '/app/src/nodemon.js', '/app/my-npm.js', '/app/node_modules/.bin/next', '/app/node_modules/vitest/vitest.mjs']
  t.same(programs.filter((path) => isStarter(path)), [])
})

t.test('options become variables, and variables options', async (t) => {
  const variables = toVariables(new Map<string, string | number | boolean>([['port', 9000], ['on-port', 'wrk http://127.0.0.1:$PORT'], ['open', true], ['threshold', 20.5]]))
  t.same(variables, { LOOPSCOPE_PORT: '9000', LOOPSCOPE_ON_PORT: 'wrk http://127.0.0.1:$PORT', LOOPSCOPE_OPEN: '1', LOOPSCOPE_THRESHOLD: '20.5' })
  t.same(fromVariables({ ...variables, PATH: '/bin', LOOPSCOPE_DEBUG: '1', LOOPSCOPE_HOST: '' }), {
    port: 9000, host: undefined, open: true, onPort: 'wrk http://127.0.0.1:$PORT', output: null, threshold: 20.5,
  })
  t.equal(fromVariables({ LOOPSCOPE_OPEN: '0' }).open, false)
  const wrong: [Record<string, string>, RegExp][] = [
    [{ LOOPSCOPE_THRESHOLD: '0' }, /^LOOPSCOPE_THRESHOLD is a number from 1 to 3600000, not "0"$/],
    [{ LOOPSCOPE_OPEN: 'yes' }, /^LOOPSCOPE_OPEN is 1 or 0, not "yes"$/],
    [{ LOOPSCOPE_POTR: '1' }, /^there is no variable LOOPSCOPE_POTR: they are LOOPSCOPE_PORT, LOOPSCOPE_HOST, /],
  ]
  for (const [env, message] of wrong) {
    t.throws(() => fromVariables(env), { name: 'UsageError', message })
    t.throws(() => fromVariables(env), UsageError)
  }
})

t.test('only the first process opens a browser and runs a command, and each process records to a file of its own', async (t) => {
  const options = { port: 9000, host: undefined, open: true, onPort: 'true', output: 'out/all.ndjson', threshold: undefined }
  t.same(ofDescendant(options, 12), { ...options, open: false, onPort: null, output: 'out/all.12.ndjson' })
  t.equal(ofDescendant({ ...options, output: 'a.b/record' }, 12).output, 'a.b/record.12')
  t.equal(ofDescendant({ ...options, output: null }, 12).output, null)
  const env: Record<string, string | undefined> = {}
  t.same([isDescendant(env, 1), isDescendant(env, 1), isDescendant(env, 2), isDescendant(env, 3)], [false, false, true, true])
})
