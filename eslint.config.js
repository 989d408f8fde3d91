// One lint for the whole tree, typed, the project's own rule included. test/eslint/ and test/types/ contain mistakes on purpose.
import stylistic from '@stylistic/eslint-plugin'
import tseslint from 'typescript-eslint'
import { build } from './tools/build.mjs'

await build({ page: false })
const { default: loopscope } = await import('./dist/src/eslint/index.js')

/** How code is written; `npm run format` mends what differs. Where a line ends is up to its writer. */
const style = {
  plugins: { '@stylistic': stylistic },
  rules: Object.fromEntries(Object.entries({
    'semi': ['never'],
    'quotes': ['single', { avoidEscape: true, allowTemplateLiterals: 'always' }],
    'comma-dangle': ['always-multiline'],
    'arrow-parens': ['always'],
    'brace-style': ['1tbs', { allowSingleLine: true }],
    'generator-star-spacing': [{ before: false, after: true, method: { before: true, after: false } }],
    'space-before-function-paren': [{ anonymous: 'always', named: 'never', asyncArrow: 'always' }],
    'member-delimiter-style': [{ multiline: { delimiter: 'none' }, singleline: { delimiter: 'semi' } }],
    'max-len': [{ code: 240, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true, ignoreUrls: true }],
    'no-multiple-empty-lines': [{ max: 1, maxEOF: 0 }],
    'arrow-spacing': [], 'comma-spacing': [], 'eol-last': [], 'key-spacing': [], 'keyword-spacing': [], 'no-tabs': [], 'no-trailing-spaces': [],
    'space-before-blocks': [], 'space-infix-ops': [], 'type-annotation-spacing': [], 'yield-star-spacing': [],
  }).map(([rule, options]) => [`@stylistic/${rule}`, ['error', ...options]])),
}

export default tseslint.config(
  { ignores: ['dist/', '**/node_modules/', '**/.build*/', '.tap/', 'test/eslint/', 'test/types/', 'test/package/', 'test/start/programs/', 'bench/modules.d.ts'] },
  ...tseslint.configs.recommendedTypeChecked,
  loopscope.configs.recommended,
  style,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-import-type-side-effects': 'error', // else an import of types alone still loads the file
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/return-await': 'error',
      '@typescript-eslint/no-empty-object-type': ['error', { allowInterfaces: 'with-single-extends' }],
      'eqeqeq': ['error', 'always', { null: 'ignore' }],
      'no-constant-binary-expression': 'error',
      'no-self-compare': 'error',
      'no-template-curly-in-string': 'error',
      // Our objects describe themselves in one line, also where their static type does not show it.
      '@typescript-eslint/restrict-template-expressions': 'off',
      '@typescript-eslint/no-base-to-string': 'off',
      // In generic code it takes assertions for needless without which TypeScript does not compile.
      '@typescript-eslint/no-unnecessary-type-assertion': 'off',
    },
  },
  {
    // The benchmarks and tools are JavaScript that tsconfig.tools.json checks the types of; rules that need types are for TypeScript.
    files: ['**/*.mjs', '**/*.js'],
    ...tseslint.configs.disableTypeChecked,
    languageOptions: { parserOptions: { projectService: false, project: false, program: null } },
    rules: { ...tseslint.configs.disableTypeChecked.rules, '@typescript-eslint/no-require-imports': 'off' },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // With a teardown at the top, tap ends a file as soon as no test runs: those behind an await would be lost, and look passed.
      'no-restricted-syntax': ['error', {
        selector: 'Program > ExpressionStatement > CallExpression[callee.object.name="t"][callee.property.name="teardown"]',
        message: 'use t.after at the top of a file: after t.teardown, tests behind an await do not run',
      }],
      // tap runs its subtests in order by itself, and ends one when its promise does.
      '@typescript-eslint/no-floating-promises': ['error', { allowForKnownSafePromises: [{ from: 'package', package: '@tapjs/core', name: 'PromiseWithSubtest' }] }],
      '@typescript-eslint/require-await': 'off',
      // Tests look at cancellations, and may block.
      'loopscope/no-swallowed-cancellations': 'off',
      'loopscope/no-blocking-calls': 'off',
    },
  },
)
