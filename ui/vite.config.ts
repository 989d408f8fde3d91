// Builds the page as one folder of files with relative addresses, so that any path can serve it. Nothing is inline, so that
// the strictest policy works.
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'
import { appPaths, paths } from '../src/http/paths.ts'
import { playgroundDocument, playgroundModules } from './playground/build/plugin.ts'

const app = process.env['LOOPSCOPE_APP'] ?? 'http://127.0.0.1:8000'

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  build: {
    outDir: fileURLToPath(new URL('../dist/ui', import.meta.url)),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    // TypeScript is one large piece; it is loaded when the playground is opened.
    chunkSizeWarningLimit: 6000,
    rolldownOptions: { checks: { bundlerTimings: false } },
  },
  plugins: [playgroundModules(), playgroundDocument()],
  worker: { format: 'es', rolldownOptions: { checks: { bundlerTimings: false } }, plugins: () => [playgroundModules()] },
  server: {
    // A path with a dot is a file of the page: /lab/panel.ts, not /lab/1.
    proxy: {
      ...Object.fromEntries(Object.values({ ...paths, ...appPaths }).map((path) => [`^${path}(/[^.?]*)?(\\?|$)`, { target: app, ws: path === paths.events }])),
      // CPython's files, which the app has beside the built page.
      '^/python/': { target: app, rewrite: (path: string) => `/view${path}` },
    },
  },
})
