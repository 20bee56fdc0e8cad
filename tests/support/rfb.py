"""A client of RFB (RFC 6143), as VNC has it: it sees a screen as a picture and types at it. Raw, hextile and ZRLE;
each wait with a bound."""
# SPDX-License-Identifier: MIT
import socket
import ssl
import struct
import subprocess
import time
import zlib

BOUND_S = 60  # of one answer; a build with sanitizers on a busy machine takes its time
RAW, HEXTILE, ZRLE, DESKTOP_SIZE, EXTENDED_SIZE = 0, 5, 16, -223, -308
KEYS = {"enter": 0xff0d, "escape": 0xff1b, "tab": 0xff09, "backspace": 0xff08, "delete": 0xffff, "up": 0xff52,
        "down": 0xff54, "left": 0xff51, "right": 0xff53, "shift": 0xffe1, "ctrl": 0xffe3, "alt": 0xffe9,
        **{f"f{number}": 0xffbd + number for number in range(1, 13)}}


class Failure(Exception):
    """An answer did not come, or is not what it must be."""


def connect(address, bound_s=BOUND_S):
    """(host, port) or a socket's path, of a program that was just started."""
    end = time.monotonic() + bound_s
    local = isinstance(address, str)
    while True:
        client = socket.socket(socket.AF_UNIX if local else socket.AF_INET)
        try:
            client.connect(address)
            client.settimeout(bound_s)
            return client
        except (FileNotFoundError, ConnectionRefusedError):
            client.close()
            if time.monotonic() > end:
                raise Failure(f"nobody listens at {address}") from None
            time.sleep(0.05)


def response(password, challenge):
    """To VNC's challenge: DES, the key's bits the wrong way round. OpenSSL keeps DES among what is out of date."""
    key = password.encode()[:8].ljust(8, b"\0")
    key = bytes(int(f"{byte:08b}"[::-1], 2) for byte in key)
    return subprocess.run(["openssl", "enc", "-des-ecb", "-nopad", "-K", key.hex(), "-provider", "legacy", "-provider",
                           "default"], input=challenge, stdout=subprocess.PIPE, check=True).stdout


class Screen:
    """A connected client; `pixels` are rows of bytes R, G, B, of `width` * `height`."""

    def __init__(self, address, password=None, context=None, encodings=(ZRLE, HEXTILE, RAW, DESKTOP_SIZE)):
        self.client = connect(address)
        self.password, self.context = password, context
        self.inflate = zlib.decompressobj()
        self.updates = 0
        self.handshake()
        self.send(struct.pack(">BBH", 2, 0, len(encodings)) + struct.pack(f">{len(encodings)}i", *encodings))

    def send(self, data):
        self.client.sendall(data)

    def get(self, count):
        data = b""
        while len(data) < count:
            more = self.client.recv(count - len(data))
            if not more:
                raise Failure("the server has closed the connection")
            data += more
        return data

    def number(self, form):
        return struct.unpack(">" + form, self.get(struct.calcsize(">" + form)))

    def handshake(self):
        if self.get(12) != b"RFB 003.008\n":
            raise Failure("the server speaks no RFB 3.8")
        self.send(b"RFB 003.008\n")
        types = self.get(self.get(1)[0])
        if not types:
            raise Failure(self.reason())
        kind = types[0]
        self.send(bytes([kind]))
        if kind == 19:
            kind = self.encrypt()
        if kind == 2:
            self.send(response(self.password or "", self.get(16)))
        if self.number("I")[0]:
            raise Failure(self.reason())
        self.send(b"\1")
        self.width, self.height = self.number("HH")
        self.get(16)
        self.name = self.get(self.number("I")[0]).decode()
        self.forget()

    def reason(self):
        return self.get(self.number("I")[0]).decode()

    def encrypt(self):
        """VeNCrypt 0.2; returns what follows: 1 none, 2 the password."""
        self.get(2)
        self.send(b"\0\2")
        self.get(1)
        kind = self.number("I" * self.get(1)[0])[0]
        self.send(struct.pack(">I", kind))
        if self.get(1) != b"\1":
            raise Failure("the server wants no TLS")
        context = self.context or ssl.create_default_context()
        self.client = context.wrap_socket(self.client, server_hostname="server")
        return {260: 1, 261: 2}[kind]

    def forget(self):
        self.pixels = [bytearray(3 * self.width) for _ in range(self.height)]

    # Pictures

    def request(self, incremental=True):
        self.send(struct.pack(">BBHHHH", 3, incremental, 0, 0, self.width, self.height))

    def update(self, incremental=True):
        """Asks for an update and takes it."""
        self.request(incremental)
        if self.get(1)[0] != 0:
            raise Failure("a message that was not asked for")
        self.get(1)
        for _ in range(self.number("H")[0]):
            self.rectangle()
        self.updates += 1

    def rectangle(self):
        x, y, width, height, encoding = self.number("HHHHi")
        if encoding == DESKTOP_SIZE:
            self.width, self.height = width, height
            self.forget()
        elif encoding == RAW:
            self.put(x, y, width, height, self.get(4 * width * height), 4)
        elif encoding == HEXTILE:
            self.hextile(x, y, width, height)
        elif encoding == ZRLE:
            self.zrle(x, y, width, height)
        else:
            raise Failure(f"encoding {encoding} was not asked for")

    def put(self, x, y, width, height, data, size):
        """Pixels of `size` bytes, blue first."""
        for row in range(height):
            line = data[row * width * size:(row + 1) * width * size]
            out = bytearray(3 * width)
            out[0::3], out[1::3], out[2::3] = line[2::size], line[1::size], line[0::size]
            self.pixels[y + row][3 * x:3 * (x + width)] = out

    def fill(self, x, y, width, height, pixel):
        line = bytes((pixel[2], pixel[1], pixel[0])) * width
        for row in range(y, y + height):
            self.pixels[row][3 * x:3 * (x + width)] = line

    def hextile(self, left, top, width, height):
        back = front = b"\0\0\0\0"
        for y in range(top, top + height, 16):
            for x in range(left, left + width, 16):
                w, h = min(16, left + width - x), min(16, top + height - y)
                kind = self.get(1)[0]
                if kind & 1:
                    self.put(x, y, w, h, self.get(4 * w * h), 4)
                    continue
                back = self.get(4) if kind & 2 else back
                self.fill(x, y, w, h, back)
                front = self.get(4) if kind & 4 else front
                for _ in range(self.get(1)[0] if kind & 8 else 0):
                    pixel = self.get(4) if kind & 16 else front
                    place, size = self.get(2)
                    self.fill(x + (place >> 4), y + (place & 15), (size >> 4) + 1, (size & 15) + 1, pixel)

    def zrle(self, left, top, width, height):
        data = self.inflate.decompress(self.get(self.number("I")[0]))
        at = 0
        for y in range(top, top + height, 64):
            for x in range(left, left + width, 64):
                w, h = min(64, left + width - x), min(64, top + height - y)
                at = self.zrle_tile(x, y, w, h, data, at)
        if at != len(data):
            raise Failure("ZRLE has more than its tiles")

    def zrle_tile(self, x, y, width, height, data, at):
        kind, at = data[at], at + 1
        if kind == 0:
            end = at + 3 * width * height
            self.put(x, y, width, height, data[at:end], 3)
            return end
        colours = kind & 127
        if colours > 16 or kind == 129:
            raise Failure(f"ZRLE's subencoding {kind}")
        palette = [data[at + 3 * i:at + 3 * i + 3] for i in range(colours)]
        at += 3 * colours
        if kind >= 128:
            return self.zrle_runs(x, y, width, height, data, at, palette)
        if kind == 1:
            self.fill(x, y, width, height, palette[0])
            return at
        bits = 1 if kind == 2 else 2 if kind <= 4 else 4
        line = (width * bits + 7) // 8
        for row in range(height):
            number = int.from_bytes(data[at:at + line], "big")
            shift = 8 * line
            pixels = []
            for _ in range(width):
                shift -= bits
                pixels.append(palette[number >> shift & (1 << bits) - 1])
            self.put(x, y + row, width, 1, b"".join(pixels), 3)
            at += line
        return at

    def zrle_runs(self, x, y, width, height, data, at, palette):
        """Of pixels, or of numbers in a palette, which have a length if bit 7 says so."""
        pixels, left = [], width * height
        while left > 0:
            number = data[at]
            pixel, at = (palette[number & 127], at + 1) if palette else (data[at:at + 3], at + 3)
            length = 1
            while not palette or number & 128:
                length, at = length + data[at], at + 1
                if data[at - 1] != 255:
                    break
            pixels.append(pixel * length)
            left -= length
        if left:
            raise Failure("a run of ZRLE leaves its tile")
        self.put(x, y, width, height, b"".join(pixels), 3)
        return at

    def pixel(self, x, y):
        return tuple(self.pixels[y][3 * x:3 * x + 3])

    def wait(self, wanted, bound_s=BOUND_S):
        """Updates until wanted(self) is true."""
        end = time.monotonic() + bound_s
        self.update(False)
        while not wanted(self):
            if time.monotonic() > end:
                raise Failure("the screen does not show it")
            self.update()

    def png(self, path):
        def chunk(kind, data):
            return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

        rows = b"".join(b"\0" + bytes(row) for row in self.pixels)
        with open(path, "wb") as file:
            file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", self.width, self.height, 8, 2,
                                                                         0, 0, 0)) +
                       chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))

    # Keys and pointer

    def key(self, keysym, down):
        self.send(struct.pack(">BBHI", 4, down, 0, keysym))

    def press(self, *names):
        """Together: press("ctrl", "alt", "delete")."""
        keysyms = [KEYS.get(name, ord(name[0])) for name in names]
        for keysym in keysyms:
            self.key(keysym, 1)
        for keysym in reversed(keysyms):
            self.key(keysym, 0)

    def type(self, text):
        for character in text:
            keysym = KEYS["enter"] if character == "\n" else ord(character)
            self.key(keysym, 1)
            self.key(keysym, 0)

    def pointer(self, x, y, buttons=0):
        self.send(struct.pack(">BBHH", 5, buttons, x, y))

    def close(self):
        self.client.close()
