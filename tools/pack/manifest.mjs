// The manifest of the package: what the project's own says of it, without what only the project needs.

/** Taken from the project's manifest. */
const KEPT = ['name', 'version', 'description', 'keywords', 'license', 'type', 'engines', 'exports', 'bin']

/** What an entry point works with in its user's app, where he uses that entry point. The tests try the lowest. */
const PEERS = { '@redis/client': '^6.0.0', eslint: '^9.10.0 || ^10.0.0', fastify: '^5.0.0' }

/** `effective`: the files that may not be left out of a bundle even where nothing of them is used. */
export function manifestOf(project, effective) {
  return {
    ...Object.fromEntries(KEPT.map((key) => [key, project[key]])),
    sideEffects: effective,
    peerDependencies: PEERS,
    peerDependenciesMeta: Object.fromEntries(Object.keys(PEERS).map((name) => [name, { optional: true }])),
  }
}
