"""The first draws of Surefoot's seed 1, purpose 0, index 0, and an order of rows in windows, from ChaCha8 in plain Python.

    python random_draws.py

ChaCha as in D. J. Bernstein, "ChaCha, a variant of Salsa20" (2008), 8 rounds, a 64-bit counter and a 64-bit stream.
"""
import math
import struct

MASK = 0xFFFFFFFF


def rotate(x, n):
    return ((x << n) | (x >> (32 - n))) & MASK


def quarter_round(state, a, b, c, d):
    for low, high, target, shift in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        state[low] = (state[low] + state[high]) & MASK
        state[target] = rotate(state[target] ^ state[low], shift)


def block(seed, stream, counter):
    start = list(struct.unpack("<4I", b"expand 32-byte k"))
    start += struct.unpack("<8I", struct.pack("<Q", seed) + bytes(24))
    start += struct.unpack("<4I", struct.pack("<QQ", counter, stream))
    state = start[:]
    for _ in range(4):
        for i in range(4):
            quarter_round(state, i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter_round(state, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return [(x + y) & MASK for x, y in zip(state, start)]


def draws(seed, purpose, index):
    counter = 0
    while True:
        words = block(seed, (purpose << 32) | index, counter)
        yield from (words[i] | words[i + 1] << 32 for i in range(0, 16, 2))
        counter += 1


def below(bound, bits):
    limit = (2**64 - 1) - (2**64 - 1) % bound
    return next(draw for draw in bits if draw < limit) % bound


bits = draws(seed=1, purpose=0, index=0)
uniform = lambda: (next(bits) >> 11) * 2.0**-53
print("uniform", uniform(), uniform())
radius = math.sqrt(-2.0 * math.log(1.0 - uniform()))
print("normal", radius * math.cos(math.tau * uniform()))


def shuffled(items, bits):
    items = list(items)
    for last in range(len(items) - 1, 0, -1):
        other = below(last + 1, bits)
        items[last], items[other] = items[other], items[last]
    return items


print("order", shuffled(range(8), bits))

# epoch 2 of seed 7 of ten rows in windows of four: runs of four in random order, then the rows of each four
bits = draws(seed=7, purpose=1, index=2)
runs = shuffled([range(start, min(10, start + 4)) for start in range(0, 10, 4)], bits)
rows = [row for run in runs for row in run]
print("windows", [row for start in range(0, 10, 4) for row in shuffled(rows[start:start + 4], bits)])
