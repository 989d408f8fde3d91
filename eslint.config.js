// One lint for the whole tree, typed, the project's own rule included. test/eslint/ and test/types/ hold mistakes on purpose.
import './tools/ts.mjs'
import tseslint from 'typescript-eslint'

const { default: loopscope } = await import('./src/eslint/index.ts')

export default tseslint.config(
  { ignores: ['dist/', 'bench/node_modules/', 'node_modules/', '.tap/', 'test/eslint/', 'test/types/', '**/*.mjs', '**/*.js'] },
  ...tseslint.configs.recommendedTypeChecked,
  loopscope.configs.recommended,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': 'off', // our objects describe themselves in one line
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    files: ['test/**'],
    rules: {
      // tap runs its subtests in order by itself, and ends one when its promise does.
      '@typescript-eslint/no-floating-promises': ['error', { allowForKnownSafePromises: [{ from: 'package', package: '@tapjs/core', name: 'PromiseWithSubtest' }] }],
      '@typescript-eslint/require-await': 'off',
    },
  },
)
