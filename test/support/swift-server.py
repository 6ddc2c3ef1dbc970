"""Serves OpenStack Swift with its S3 interface from one process: python3 swift-server.py DIRECTORY. Prints the port."""

import logging
import os
import sys

from swift.common.utils import eventlet_monkey_patch

eventlet_monkey_patch()

import eventlet
from eventlet import tpool, wsgi
from swift.common import utils
from swift.common.ring import RingBuilder
from swift.common.wsgi import SwiftHttpProtocol, loadapp

directory = sys.argv[1]
kinds = ["account", "container", "object"]


def write(name, text):
    with open(os.path.join(directory, name), "w") as file:
        file.write(text)
    return os.path.join(directory, name)


def make_ring(kind, port):
    builder = RingBuilder(2, 1, 1)
    device = {"id": 0, "region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "device": "d1", "weight": 1,
              "replication_ip": "127.0.0.1", "replication_port": port, "meta": ""}
    builder.add_dev(device)
    builder.rebalance()
    builder.get_ring().save(os.path.join(directory, kind + ".ring.gz"))


def settings(kind, pipeline, more):
    return write(kind + ".conf", f"""[DEFAULT]
swift_dir = {directory}
devices = {directory}/devices
mount_check = false
disable_fallocate = true
log_level = CRITICAL
[pipeline:main]
pipeline = {pipeline}
{more}""")


class Cache:
    """What Swift keeps in memcached; one process needs no other one for that."""

    def __init__(self):
        self.values = {}

    def get(self, key, raise_on_error=False):
        return self.values.get(key)

    def set(self, key, value, serialize=True, time=0, min_compress_len=0, raise_on_error=False):
        self.values[key] = value

    def delete(self, key, server_key=None):
        self.values.pop(key, None)


cache = Cache()


def serve(sock, file):
    # As Swift's own starter does it, which would take the thread for itself.
    options = {"protocol": SwiftHttpProtocol, "capitalize_response_headers": False}
    app = loadapp(file, global_conf={"log_name": "swift"})

    def cached(environment, start_response):
        environment["swift.cache"] = cache
        return app(environment, start_response)

    eventlet.spawn(wsgi.server, sock, cached, logging.getLogger("quiet"), **options)


os.makedirs(os.path.join(directory, "devices/d1"))
write("swift.conf", "[swift-hash]\nswift_hash_path_suffix = tests\nswift_hash_path_prefix = tests\n")
utils.set_swift_dir(directory)
utils.validate_configuration()

for kind in kinds:
    sock = eventlet.listen(("127.0.0.1", 0))
    make_ring(kind, sock.getsockname()[1])
    serve(sock, settings(kind, kind, f"[app:{kind}]\nuse = egg:swift#{kind}\n"))

filters = ["catch_errors", "s3api", "tempauth", "bulk", "slo", "dlo", "symlink"]
more = {"s3api": "location = us-east-1\n", "tempauth": "user_test_tester = testing-key .admin\n"}
sections = "".join(f"[filter:{name}]\nuse = egg:swift#{name}\n{more.get(name, '')}" for name in filters)
application = "[app:proxy-server]\nuse = egg:swift#proxy\nallow_account_management = true\naccount_autocreate = true\n"
proxy = eventlet.listen(("127.0.0.1", 0))
serve(proxy, settings("proxy", " ".join(filters + ["proxy-server"]), application + sections))
print(proxy.getsockname()[1], flush=True)

# It ends with whoever holds the other end of its input.
tpool.execute(sys.stdin.read)
os._exit(0)
