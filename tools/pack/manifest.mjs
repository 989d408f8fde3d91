// The manifest of the package: the project's own, without what only the project needs.

/** Taken from the project's manifest. */
const KEPT = ['name', 'version', 'description', 'keywords', 'license', 'type', 'engines', 'exports', 'bin']

/** Packages that an app needs to use some of the entry points. The tests try the lowest versions. */
const PEERS = { '@redis/client': '^6.0.0', eslint: '^9.10.0 || ^10.0.0', fastify: '^5.0.0', pyodide: '^314.0.7' }

/** `effective`: the files that must not be left out of a bundle, even if nothing in them is used. */
export function manifestOf(project, effective) {
  return {
    ...Object.fromEntries(KEPT.map((key) => [key, project[key]])),
    sideEffects: effective,
    peerDependencies: PEERS,
    peerDependenciesMeta: Object.fromEntries(Object.keys(PEERS).map((name) => [name, { optional: true }])),
  }
}
