// The deployment files, checked by the tools that read them, and against each other: docker-compose.yml, the Dockerfile, the
// files of the proxy and Prometheus, Grafana's dashboard. test/deploy/ tests what they make.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { validate } from 'dockerfile-utils'
import t from 'tap'
import { parse } from 'yaml'
import { readConfig } from '../src/server/config.ts'
import { contextOf, copiesOf, ignores, stagesOf } from './support/dockerfile.ts'
import { runProgram, without } from './support/programs.ts'
import { build } from './support/server.ts'

interface Service {
  build?: string
  image: string
  profiles: string[]
  ports?: string[]
  volumes?: string[]
  command?: string[]
  environment?: Record<string, string>
  depends_on?: string[]
  healthcheck?: { test: string[] }
  restart: string
  init?: boolean
  mem_limit?: string
  pids_limit?: number
}

const ROOT = join(import.meta.dirname, '..')
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const yaml = (path: string): unknown => parse(read(path), { merge: true })

const { services, volumes: named } = yaml('docker-compose.yml') as { services: Record<string, Service>; volumes: Record<string, unknown> }
const dockerfile = read('Dockerfile')
const stages = stagesOf(dockerfile)
const image = stages.at(-1)!
const textsOf = (instruction: string): string[] => image.steps.filter((step) => step.instruction === instruction).map(({ text }) => text)
const inProfile = (profile: string): [name: string, service: Service][] => Object.entries(services).filter(([, { profiles }]) => profiles.includes(profile))
const REPLICAS = ['replica-1', 'replica-2', 'replica-3']

t.test('docker-compose.yml', async (t) => {
  await t.test('starts one server by default, and the cluster on request', async (t) => {
    t.match(read('.env'), /^COMPOSE_PROFILES=single$/m)
    t.same(inProfile('single').map(([name]) => name), ['loopscope'])
    t.same(inProfile('cluster').map(([name]) => name).sort(), ['grafana', 'prometheus', 'proxy', ...REPLICAS, 'valkey'])
    t.equal(inProfile('single').length + inProfile('cluster').length, Object.keys(services).length, 'nothing else')
  })

  await t.test('publishes on loopback only, each port once, and those that a service listens on', async (t) => {
    const listens: Record<string, string[]> = { loopscope: ['8000', '8001'], proxy: ['8000', '8001'], prometheus: ['9090'], grafana: ['3000'] }
    for (const profile of ['single', 'cluster']) {
      const ports = inProfile(profile).flatMap(([name, { ports = [] }]) => {
        for (const port of ports) {
          const [, outside, inside] = /^127\.0\.0\.1:(\d+):(\d+)$/.exec(port) ?? []
          t.ok(outside !== undefined && listens[name]?.includes(inside!), `${name}: ${port}`)
        }
        return ports.map((port) => port.split(':')[1])
      })
      t.equal(new Set(ports).size, ports.length, `${profile} publishes no port twice`)
    }
  })

  await t.test('names every image with its version, checks the health of every service, and restarts it', async (t) => {
    for (const [name, service] of Object.entries(services)) {
      if (service.build === undefined) t.match(service.image, /^[a-z/]+:v?\d+\.\d+\.\d+(-alpine)?$/, name)
      else t.ok(service.build === '.' && service.init, `${name} is built here, and has an init`)
      const [how] = service.healthcheck?.test ?? [textsOf('HEALTHCHECK').length === 1 ? 'CMD' : 'none']
      t.equal(how, 'CMD', `${name} has a health check`)
      t.equal(service.restart, 'unless-stopped')
      for (const other of service.depends_on ?? []) t.same(services[other]?.profiles, service.profiles, `${name} needs ${other}`)
    }
  })

  await t.test('limits what each service may use of the machine: memory and processes', async (t) => {
    const bytes = (text = ''): number => Number(/^(\d+)[mg]$/.exec(text)?.[1]) * (text.endsWith('g') ? 1024 : 1) * 1024 ** 2
    for (const [name, { mem_limit: memory, pids_limit: processes }] of Object.entries(services)) {
      t.ok(bytes(memory) >= 128 * 1024 ** 2 && bytes(memory) <= 4 * 1024 ** 3, `${name}: ${memory}`)
      t.ok(Number.isInteger(processes) && processes! >= 50 && processes! <= 2000, `${name}: ${processes}`)
    }
    const own = Number(/--maxmemory,(\d+)mb/.exec(services['valkey']!.command!.join(','))![1])
    t.ok(bytes(services['valkey']!.mem_limit) > own * 1024 ** 2, 'Valkey keeps to its own bound before it meets this one')
  })

  await t.test('gives each server a valid environment, and each loop a name of its own', async (t) => {
    const [fixed] = textsOf('ENV')
    const own = Object.fromEntries(fixed!.split(' ').map((pair) => pair.split('=') as [string, string]))
    const known = new Set(['NODE_ENV', ...[...read('README.md').matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name)])
    for (const [name, { environment = {} }] of Object.entries(services).filter(([, service]) => service.build !== undefined)) {
      const values = { ...own, ...Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, value.replace(/^\$\{\w+:-(.*)\}$/, '$1')])) }
      t.match(readConfig(values), { host: '0.0.0.0', port: 8000, observerPort: 8001, proxies: REPLICAS.includes(name) ? ['uniquelocal'] : [] }, name)
      t.same(Object.keys(values).filter((key) => !known.has(key)), [], 'the README tells of each')
      t.equal(values['LOOP_NAME'], REPLICAS.includes(name) ? name : undefined)
      t.equal(values['REDIS_URL'], REPLICAS.includes(name) ? 'redis://valkey:6379' : undefined)
    }
  })

  await t.test('contains no secret, and publishes nothing that would need one', async (t) => {
    t.notMatch(read('docker-compose.yml'), /pass(word)?:|secret|token/i)
    t.equal(services['valkey']!.ports, undefined)
    t.match(services['grafana']!.environment, { GF_AUTH_DISABLE_LOGIN_FORM: 'true', GF_AUTH_BASIC_ENABLED: 'false', GF_AUTH_ANONYMOUS_ORG_ROLE: 'Viewer' })
  })

  await t.test('mounts only what exists', async (t) => {
    const mounts = Object.values(services).flatMap(({ volumes = [] }) => volumes).map((volume) => volume.split(':')[0]!)
    t.ok(mounts.length >= 4)
    t.same(mounts.filter((mount) => !(mount.startsWith('./') ? existsSync(join(ROOT, mount)) : mount in named)), [])
  })

  await t.test('is valid for docker-compose', { skip: without(['docker-compose', 'docker-compose']) }, async (t) => {
    const good = await runProgram('docker-compose', ['config', '-q'], { cwd: ROOT })
    t.same(good, { code: 0, text: '' })
    const bad = await runProgram('docker-compose', ['-f', '-', 'config', '-q'], { cwd: ROOT, input: read('docker-compose.yml').replace('read_only:', 'readonly:') })
    t.not(bad.code, 0)
    t.match(bad.text, 'readonly', 'it would say what is wrong')
  })
})

t.test('the Dockerfile', async (t) => {
  await t.test('passes a linter', async (t) => {
    t.same(validate(dockerfile).map(({ message }) => message), [])
    t.ok(validate(dockerfile.replace('USER node', 'USR node')).length > 0, 'it would say')
  })

  await t.test('uses one Node, by its version, which the package allows', async (t) => {
    const bases = stages.map(({ base }) => base).filter((base) => !stages.some(({ name }) => name === base))
    t.same(bases.map((base) => /^node:24\.\d+\.\d+-bookworm-slim$/.test(base)), [true])
  })

  await t.test('runs the server as a user without rights, on both ports, and not through npm', async (t) => {
    t.same(textsOf('USER'), ['node'])
    t.same(textsOf('EXPOSE'), ['8000 8001'])
    const { scripts } = JSON.parse(read('package.json')) as { scripts: { start: string } }
    t.equal((JSON.parse(textsOf('CMD')[0]!) as string[]).join(' '), scripts.start)
    const lastWrite = image.steps.findLastIndex(({ instruction }) => instruction === 'COPY' || instruction === 'RUN')
    t.ok(image.steps.findIndex(({ instruction }) => instruction === 'USER') > lastWrite, 'its own files are not its own to change')
  })

  await t.test('copies only what exists, and the build receives nothing more', async (t) => {
    const context = contextOf(ROOT, read('.dockerignore'))
    const sources = stages.flatMap(copiesOf).filter(({ from }) => from === null).flatMap(({ sources }) => sources.map((source) => source.replace(/^\.\//, '')))
    t.ok(sources.length > 10)
    t.same(sources.filter((source) => !context.some((path) => path === source || path.startsWith(`${source}/`))), [])
    const used = (path: string): boolean => sources.some((source) => path === source || path.startsWith(`${source}/`))
    t.same(context.filter((path) => !used(path)), [])
  })

  await t.test('reads ignore patterns as Docker does', async (t) => {
    const ignored = ignores('*\n!src\n**/node_modules\n*.log\nsrc/a/*.md')
    const cases: [path: string, out: boolean][] = [
      ['README.md', true], ['src/a.ts', false], ['src/deep/b.ts', false], ['src/node_modules/x/y.js', true], ['src/a/b.md', true], ['src/a/b/c.md', false], ['srcs/a.ts', true],
    ]
    for (const [path, out] of cases) t.equal(ignored(path), out, path)
  })
})

t.test('behind a proxy', async (t) => {
  const clients = (title: string, env: Record<string, string>, expected: [from: string, status: number][]): Promise<unknown> => t.test(title, async (t) => {
    const app = await build(t, { RATE_LIMIT: '1', ...env })
    for (const [from, status] of expected) {
      t.equal((await app.inject({ url: '/examples/1/run?clock=virtual', headers: { 'x-forwarded-for': from } })).statusCode, status, from)
    }
  })
  await clients('clients are told apart by what it says of them, and by nothing that they say', { PROXIES: 'loopback' }, [
    ['10.0.0.1', 200], ['10.0.0.2', 200], ['10.0.0.1', 429], ['9.9.9.9, 10.0.0.1', 429],
  ])
  await clients('nobody is believed who is not the proxy', { PROXIES: '10.0.0.0/8,::1' }, [['10.0.0.1', 200], ['10.0.0.2', 429]])

  await t.test('it is named by addresses and networks', async (t) => {
    t.same(readConfig({ PROXIES: 'loopback, 10.0.0.0/8,::1' }).proxies, ['loopback', '10.0.0.0/8', '::1'])
    for (const wrong of ['1', 'proxy', '10.0.0.0/40', '10.0.0.1/', 'loopback,']) t.throws(() => readConfig({ PROXIES: wrong }), { message: /^PROXIES=.*: must be addresses/ }, wrong)
  })

  await t.test('deploy/haproxy.cfg is valid for haproxy', { skip: without(['haproxy', 'haproxy']) }, async (t) => {
    const check = (file: string): ReturnType<typeof runProgram> => runProgram('haproxy', ['-c', '-f', file], { cwd: ROOT })
    const good = await check('deploy/haproxy.cfg')
    t.equal(good.code, 0, good.text)
    t.same([...good.text.matchAll(/\[WARNING\].*/g)].filter(([line]) => !line.includes('could not resolve address')), [])
    const folder = t.testdir({ 'bad.cfg': read('deploy/haproxy.cfg').replace('option abortonclose', 'option abortonclosed') })
    t.not((await check(join(folder, 'bad.cfg'))).code, 0)
  })

  await t.test('deploy/haproxy.cfg knows the loops by their names, at both addresses', async (t) => {
    const backends = read('deploy/haproxy.cfg').split(/^(?=\w)/m).filter((part) => part.startsWith('backend'))
    t.same(backends.map((part) => [...part.matchAll(/^ {4}server (\S+) "\$\{(\w+)\}" cookie (\S+)$/gm)].map(([, ...words]) => words)), [
      REPLICAS.map((name, at) => [name, `REPLICA_${at + 1}`, name]), REPLICAS.map((name, at) => [name, `OBSERVER_${at + 1}`, name]),
    ])
    for (const [at, name] of REPLICAS.entries()) t.match(read('deploy/haproxy.cfg'), new RegExp(`REPLICA_${at + 1} ${name}:8000\n[^]*OBSERVER_${at + 1} ${name}:8001\n`))
  })
})

t.test('monitoring', async (t) => {
  const prometheus = yaml('deploy/prometheus.yml') as { scrape_configs: { job_name: string; static_configs: { targets: string[]; labels?: Record<string, string> }[] }[] }

  await t.test('deploy/prometheus.yml scrapes every observer and the proxy, and names the loops', async (t) => {
    const groups = prometheus.scrape_configs.flatMap(({ static_configs }) => static_configs)
    t.same(groups.map(({ targets: [target], labels }) => [target, labels?.['loop']]), [...REPLICAS.map((name) => [`${name}:8001`, name]), ['proxy:8404', undefined]])
    t.same(groups.filter(({ targets }) => !(targets[0]!.split(':')[0]! in services)), [])
  })

  await t.test('deploy/prometheus.yml is valid for Prometheus', { skip: without(['promtool', 'prometheus']) }, async (t) => {
    const good = await runProgram('promtool', ['check', 'config', 'deploy/prometheus.yml'], { cwd: ROOT })
    t.equal(good.code, 0, good.text)
    writeFileSync(join(t.testdir({}), 'bad.yml'), read('deploy/prometheus.yml').replace('static_configs', 'static_config'))
    t.not((await runProgram('promtool', ['check', 'config', join(t.testdirName, 'bad.yml')])).code, 0)
  })

  await t.test('Grafana finds Prometheus, and the dashboard finds Grafana\'s name for it', async (t) => {
    const { datasources: [source] } = yaml('deploy/grafana/provisioning/datasources/prometheus.yml') as { datasources: [{ uid: string; type: string; url: string }] }
    t.match(source, { type: 'prometheus', url: 'http://prometheus:9090' })
    const { providers: [provider] } = yaml('deploy/grafana/provisioning/dashboards/loopscope.yml') as { providers: [{ options: { path: string } }] }
    const mounts = new Map(services['grafana']!.volumes!.map((volume) => volume.split(':') as [string, string]).map(([here, there]) => [there, here]))
    const dashboards = mounts.get(provider.options.path)!
    t.equal(services['grafana']!.environment!['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'], `${provider.options.path}/loopscope.json`)
    const text = read(`${dashboards}/loopscope.json`)
    t.same([...new Set([...text.matchAll(/"uid": "([^"]+)"/g)].map(([, uid]) => uid))].sort(), ['loopscope', source.uid].sort())
  })

  await t.test('the dashboard has a separate place for each panel, and shows what it should', async (t) => {
    interface Panel { id: number; title: string; description: string; gridPos: { x: number; y: number; w: number; h: number }; targets: { expr: string; refId: string }[] }
    const { panels } = JSON.parse(read('deploy/grafana/dashboards/loopscope.json')) as { panels: Panel[] }
    t.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => {
      t.ok(x >= 0 && x + w <= 24)
      return Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`)
    })
    t.equal(new Set(cells).size, cells.length, 'none over another')
    t.ok(panels.every(({ title, description, targets }) => title !== '' && description !== '' && targets.length > 0 && new Set(targets.map(({ refId }) => refId)).size === targets.length))
    const shown = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)).join('\n')
    for (const wanted of ['loopscope_loop_delay_seconds', 'nodejs_eventloop_time_seconds_total', 'loopscope_stalls_total', 'loopscope_blocked_seconds_total', 'loopscope_tasks', 'loopscope_queue_size', 'loopscope_requests_total', 'loopscope_events_total', 'loopscope_cluster_']) {
      t.ok(shown.includes(wanted), wanted)
    }
  })
})
