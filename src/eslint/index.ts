// The ESLint plugin shipped as `loopscope/eslint`: a forgotten `yield*` is found while writing, not while running.
// It needs typescript-eslint's parser with type information, and brings no dependency of its own.
import type { ESLint, Linter } from 'eslint'
import { noFloatingCoroutines } from './no-floating-coroutines.ts'

interface LoopscopePlugin extends ESLint.Plugin {
  configs: { recommended: Linter.Config }
}

const plugin: LoopscopePlugin = {
  meta: { name: 'loopscope', namespace: 'loopscope' },
  rules: { 'no-floating-coroutines': noFloatingCoroutines },
  configs: {
    recommended: {
      name: 'loopscope/recommended',
      files: ['**/*.{ts,tsx,mts,cts}'],
      rules: {
        'loopscope/no-floating-coroutines': 'error',
        'require-yield': 'off', // a coroutine that waits for nothing is still a coroutine
      },
    },
  },
}
plugin.configs.recommended.plugins = { loopscope: plugin }

export const rules: ESLint.Plugin['rules'] = plugin.rules
export const configs: LoopscopePlugin['configs'] = plugin.configs
export default plugin
