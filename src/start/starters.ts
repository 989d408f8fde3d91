// Programs that are not watched, because all they do is to start another one: package managers, and commands like tsx. A
// variable of the environment reaches them, too.

/** By the name of the command, however it was installed: `npm`, `npm-cli.js`, `yarn-4.9.1.cjs`. */
const PACKAGE_MANAGER = /(^|[\\/])(npm|npx|pnpm|pnpx|yarn|yarnpkg|corepack)(-cli|-[\d.]+)?(\.[cm]?js)?$/
/** By its package: a program of the same name may be the user's own. */
const STARTER = /[\\/](node_modules|\.bin)[\\/](npm|pnpm|yarn|corepack|tsx|nodemon|concurrently|cross-env|env-cmd|dotenv-cli|npm-run-all2?|loopscope)([\\/]|$)/

/** Whether the program at this path only starts others. */
export function isStarter(path: string | undefined): boolean {
  return path !== undefined && (PACKAGE_MANAGER.test(path) || STARTER.test(path))
}
