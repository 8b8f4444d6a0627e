# SPDX-License-Identifier: BSD-3-Clause
# modules: stock
# timeout: 240
# A second, independent driver: Linux's own, as the stock kernel has it. Two models, a cable between
# them, each in a network namespace of its own.

. /src/lab/tests/ena.sh

before=$(witness ena0 stats) before1=$(witness ena1 stats)
ena_kernel
matches "the driver uses LLQ" "$(witness ena0 stats)" " llq_queues=[1-9]"

peer() { ip netns exec "$@"; }

cat >/tmp/ping.py <<'END'
# Echo requests (RFC 792) of several sizes, one at a time; prints how many were answered rightly.
import os, socket, struct, time
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
def checksum(data):
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    total = (total & 0xffff) + (total >> 16)
    return ~((total & 0xffff) + (total >> 16)) & 0xffff
good = 0
for number, size in enumerate((8, 56, 100, 1000, 1472, 4000, 8972) * 3):
    payload = os.urandom(size)
    head = struct.pack('!BBHHH', 8, 0, 0, 77, number)
    request = struct.pack('!BBHHH', 8, 0, checksum(head + payload), 77, number) + payload
    end = time.monotonic() + 20
    answered = False
    while not answered and time.monotonic() < end:
        s.sendto(request, ('192.0.2.2', 0))
        s.settimeout(5)
        try:
            while True:
                answer = s.recv(65536)[20:]
                if answer[0] == 0 and answer[4:] == request[4:]:
                    good, answered = good + 1, True
                    break
        except TimeoutError:
            pass
print(good)
END
is "ping, 8 to 8972 bytes" "$(peer ena timeout 60 python3 /tmp/ping.py)" 21

# TCP both ways at once, compared by hash.
cat >/tmp/tcp.py <<'END'
import hashlib, os, socket, sys, threading
N = 16 << 20
def send(sock, h):
    left = N
    while left:
        data = os.urandom(min(left, 1 << 16))
        h.update(data)
        sock.sendall(data)
        left -= len(data)
    sock.shutdown(socket.SHUT_WR)
if sys.argv[1] == 'listen':
    server = socket.create_server(('192.0.2.2', 5001))
    print('listening', flush=True)
    sock = server.accept()[0]
else:
    sock = socket.create_connection(('192.0.2.2', 5001), timeout=60)
sent, got = hashlib.sha256(), hashlib.sha256()
thread = threading.Thread(target=send, args=(sock, sent))
thread.start()
count = 0
while data := sock.recv(1 << 16):
    got.update(data)
    count += len(data)
thread.join()
print(count, sent.hexdigest(), got.hexdigest())
END
peer enb timeout 120 python3 /tmp/tcp.py listen >/tmp/listen &
for i in {1..100}; do grep -q listening /tmp/listen && break; sleep 0.1; done
start=$EPOCHREALTIME
read -r count sent got <<<"$(peer ena timeout 120 python3 /tmp/tcp.py connect)"
seconds=$(python3 -c "print('%.1f' % ($EPOCHREALTIME - $start))")
wait $!
read -r other_count other_sent other_got <<<"$(tail -n 1 /tmp/listen)"
is "TCP: 16 MB each way ($seconds s)" "$count $other_count" "$((16 << 20)) $((16 << 20))"
is "TCP: what was sent is what arrived" "$sent $got" "$other_got $other_sent"

# Several queues, interrupts, statistics.
queues=$(witness ena0 stats | value rx_queues)
is "a queue for each CPU" "$queues" "$(nproc)"
is "interrupts on every vector of both" \
	"$(awk '/Tx-Rx/ && /0000:00:0[27]/ { n++; m += $2 + $3 > 0 } END { print n, m }' /proc/interrupts)" \
	"$((2 * queues)) $((2 * queues))"
for device in 0 1; do
	after=$(witness ena$device stats)
	base=$([ $device = 0 ] && echo "$before" || echo "$before1")
	is "ena$device: the driver broke no rule" "$(value violations <<<"$after")" "$(value violations <<<"$base")"
	is "ena$device: nothing by way of host memory" "$(value host_frames <<<"$after")" "$(value host_frames <<<"$base")"
done

# Link, as the kernel sees it.
witness ena0 link down >/dev/null
for i in {1..50}; do [ "$(peer ena cat /sys/class/net/eth0/carrier)" = 0 ] && break; sleep 0.1; done
is "link down" "$(peer ena cat /sys/class/net/eth0/carrier)" 0
witness ena0 link up >/dev/null
for i in {1..50}; do [ "$(peer ena cat /sys/class/net/eth0/carrier)" = 1 ] && break; sleep 0.1; done
is "link up" "$(peer ena cat /sys/class/net/eth0/carrier)" 1

ena_kernel_end
