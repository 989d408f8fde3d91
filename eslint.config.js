// One lint for the whole tree, typed. Coroutines are generator functions, so rules that take a generator for a mistake are off.
import tseslint from 'typescript-eslint'

export default tseslint.config(
  { ignores: ['dist/', 'bench/node_modules/', 'node_modules/', '.tap/', '**/*.mjs', '**/*.js'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'require-yield': 'off', // a coroutine that waits for nothing is still a coroutine
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
