"""The application that the driver works with, for servers in Python; application.ts is its twin, and docs/asgi-conformance.md
has the contract of both. It runs the steps in the header x-script and records, under the key in x-key, its scope, what it
received and how each send ended. GET /records/KEY answers a record."""
import asyncio
import json
import math
import os
import tempfile

MODE = os.environ.get('ASGI_LIFESPAN', 'complete')
LOG = os.environ.get('ASGI_LOG')
records = {}

FILE = os.path.join(tempfile.mkdtemp(prefix='asgi-conformance-'), 'digits')
with open(FILE, 'wb') as digits:
    digits.write(b'0123456789')


def log(line):
    if LOG:
        with open(LOG, 'a') as file:
            file.write(line + '\n')


def shown(value, strict):
    """A value as JSON. `strict` is for events, in which only some types are allowed; anything else becomes {"$other": its type}."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int) and -2**63 <= value < 2**63:
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, bytes):
        return {'$bytes': value.decode('latin-1')}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: shown(item, strict) for key, item in value.items()}
    if isinstance(value, list) or not strict and hasattr(value, '__iter__') and not isinstance(value, bytearray):
        return [shown(item, strict) for item in value]
    return {'$other': type(value).__name__}


def made(value, files):
    """The value that a step of a script means."""
    if isinstance(value, list):
        return [made(item, files) for item in value]
    if not isinstance(value, dict):
        return value
    if '$bytes' in value:
        return value['$bytes'].encode('latin-1')
    if '$path' in value:
        return FILE
    if '$file' in value:
        files.append(open(FILE, 'rb'))
        return files[-1]
    return {key: made(item, files) for key, item in value.items()}


class Run:
    def __init__(self, record, scope, receive, send):
        self.record, self.scope, self.receive, self.send = record, scope, receive, send
        self.pending = None
        self.files = []

    def note(self, **entry):
        self.record['log'].append(entry)
        return entry

    async def next(self, seconds=None):
        """Receives; None if nothing arrives in time. A receive is never cancelled: the next one continues it."""
        if self.pending is None:
            self.pending = asyncio.ensure_future(self.receive())
        done, _ = await asyncio.wait({self.pending}, timeout=seconds)
        if not done:
            return None
        pending, self.pending = self.pending, None
        return pending.result()

    async def step(self, name, *args):
        if name == 'receive':
            self.note(received=shown(await self.next(*args), True))
        elif name == 'drain':
            while True:
                event = await self.next()
                self.note(received=shown(event, True))
                if not event.get('more_body', False):
                    break
        elif name == 'send':
            entry = self.note(sent=args[0].get('type'), error='pending')
            try:
                await self.send(made(args[0], self.files))
                entry['error'] = None
            except Exception as error:
                entry['error'] = {'name': type(error).__name__, 'os': isinstance(error, OSError)}
        elif name == 'send!':
            await self.send(made(args[0], self.files))
        elif name == 'flood':
            size, limit = args
            entry = self.note(flooded=0, ended=False)
            try:
                while entry['flooded'] < limit:
                    await self.send({'type': 'http.response.body', 'body': bytes(size), 'more_body': True})
                    entry['flooded'] += size
                    await asyncio.sleep(0)
            except Exception:
                pass
            entry['ended'] = True
        elif name == 'echo':
            while True:
                event = await self.next()
                self.note(received=shown(event, True))
                if event['type'] != 'websocket.receive':
                    break
                await self.send({'type': 'websocket.send', 'bytes': event.get('bytes'), 'text': event.get('text')})
        elif name == 'sleep':
            await asyncio.sleep(args[0])
        elif name == 'set':
            self.scope[args[0]] = args[1]
        elif name == 'state':
            self.scope['state'][args[0]] = args[1]
            self.scope['state']['shared'].append(args[1])
        elif name == 'raise':
            raise RuntimeError(args[0])

    async def run(self, script):
        try:
            for step in script:
                await self.step(*step)
            self.record['ended'] = 'returned'
        except BaseException as error:
            self.record['ended'] = type(error).__name__
            raise
        finally:
            if self.pending is not None:
                self.pending.cancel()
            for file in self.files:
                file.close()


async def respond(send, status, body):
    await send({'type': 'http.response.start', 'status': status, 'headers': [
        (b'content-type', b'application/json'), (b'content-length', str(len(body)).encode())]})
    await send({'type': 'http.response.body', 'body': body})


async def lifespan(scope, receive, send):
    log('lifespan')
    if MODE == 'raise':
        raise RuntimeError('no lifespan here')
    records['lifespan'] = record = {'calls': 1, 'scope': shown(scope, False), 'log': [], 'ended': None}
    while True:
        event = await receive()
        record['log'].append({'received': shown(event, True)})
        log('received ' + event['type'])
        if MODE == 'raise-late':
            raise RuntimeError('no lifespan here')
        phase = event['type'].split('.')[1]
        if 'state' in scope and phase == 'startup':
            scope['state'].update(shared=[], number=1)
        if MODE == 'slow':
            await asyncio.sleep(0.5)
        log('answers ' + phase)
        if MODE == phase + '-failed':
            await send({'type': f'lifespan.{phase}.failed', 'message': f'{phase} cannot be done'})
            return
        await send({'type': f'lifespan.{phase}.complete'})
        if phase == 'shutdown':
            return


async def app(scope, receive, send):
    if scope['type'] == 'lifespan':
        return await lifespan(scope, receive, send)
    headers = {bytes(name).lower(): bytes(value).decode('latin-1') for name, value in scope['headers']}
    if b'x-script' not in headers:
        key = scope['path'].rpartition('/records/')[2]
        return await respond(send, 200 if key in records else 404, json.dumps(records.get(key)).encode())
    key = headers[b'x-key']
    log(f'begins {key}')
    calls = records[key]['calls'] + 1 if key in records else 1
    records[key] = record = {'calls': calls, 'scope': shown(scope, False), 'log': [], 'ended': None}
    if len(records) > 1000:
        del records[next(name for name in records if name != 'lifespan')]
    try:
        await Run(record, scope, receive, send).run(json.loads(headers[b'x-script']))
    finally:
        log(f'ends {key}')
