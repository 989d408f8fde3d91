// The ESLint plugin shipped as `loopscope/eslint`: mistakes with coroutines are found while writing, not while running.
// It needs typescript-eslint's parser with type information, and brings no dependency of its own.
import type { ESLint, Linter } from 'eslint'
import { noBlockingCalls } from './no-blocking-calls.ts'
import { noFloatingCoroutines } from './no-floating-coroutines.ts'
import { noMisusedCoroutines } from './no-misused-coroutines.ts'
import { noSwallowedCancellations } from './no-swallowed-cancellations.ts'

interface LoopscopePlugin extends ESLint.Plugin {
  configs: { recommended: Linter.Config }
}

const plugin: LoopscopePlugin = {
  meta: { name: 'loopscope', namespace: 'loopscope' },
  rules: {
    'no-blocking-calls': noBlockingCalls,
    'no-floating-coroutines': noFloatingCoroutines,
    'no-misused-coroutines': noMisusedCoroutines,
    'no-swallowed-cancellations': noSwallowedCancellations,
  },
  configs: {
    recommended: {
      name: 'loopscope/recommended',
      files: ['**/*.{ts,tsx,mts,cts}'],
      rules: {
        'loopscope/no-blocking-calls': 'error',
        'loopscope/no-floating-coroutines': 'error',
        'loopscope/no-misused-coroutines': 'error',
        'loopscope/no-swallowed-cancellations': 'error',
        'require-yield': 'off', // a coroutine that waits for nothing is still a coroutine
      },
    },
  },
}
plugin.configs.recommended.plugins = { loopscope: plugin }

export const rules: ESLint.Plugin['rules'] = plugin.rules
export const configs: LoopscopePlugin['configs'] = plugin.configs
export default plugin
