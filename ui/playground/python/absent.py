"""What this page does not have, said where a program tries it: threads, the network, other processes, a keyboard."""
import builtins
import socket
import threading

THREADS = "there are no threads in this page: its Python runs on one. asyncio.to_thread, run_in_executor and threading need another"
NETWORK = 'there is no network in this page: no socket can be opened'
PROCESSES = 'there are no other processes in this page: a subprocess cannot be started'
KEYBOARD = 'there is no keyboard in this page: input() has nothing to read'


def refusing(text, kind=RuntimeError):
    def refuse(*args, **kwargs):
        raise kind(text)
    return refuse


async def no_network(self, *args, **kwargs):
    raise OSError(NETWORK)


async def no_processes(self, *args, **kwargs):
    raise RuntimeError(PROCESSES)


def install(loop):
    """`loop` is the class of the program's loops."""
    threading._start_joinable_thread = refusing(THREADS)
    builtins.input = refusing(KEYBOARD, EOFError)
    socket.socket.connect = socket.socket.bind = socket.socket.connect_ex = refusing(NETWORK, OSError)
    socket.getaddrinfo = refusing(NETWORK, OSError)
    loop.run_in_executor = refusing(THREADS)
    for name in ('create_connection', 'create_server', 'create_datagram_endpoint', 'create_unix_connection', 'create_unix_server', 'getaddrinfo', 'getnameinfo', 'sock_connect', 'sock_recv', 'sock_sendall', 'sock_accept'):
        setattr(loop, name, no_network)
    loop.subprocess_exec = loop.subprocess_shell = no_processes


