// What history knows of hostile zip archives, class by class. Whatever is refused leaves nothing behind, inside or
// outside; `refused` looks at both.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { crc32, deflateRawSync } from "node:zlib";
import { unpacking } from "./unpacking.ts";
import { endRecord, type ZipFields, zip64Extra, zipOf } from "./zip-bytes.ts";

/** It begins well: what came before has to go, too. */
const good: ZipFields = { name: "good", content: "good" };

function refuses(what: string, code: string, archives: Record<string, Buffer>, more = {}) {
  test(what, async () => {
    for (const [name, archive] of Object.entries(archives)) {
      using here = unpacking();
      assert.equal(await here.refused(archive, more), code, name);
    }
  });
}

const named = (names: (string | Buffer)[], fields: ZipFields = {}) =>
  Object.fromEntries(names.map((name) => [`${name}`, zipOf([good, { name, content: "evil", ...fields }])]));

refuses("absolute names are refused", "ARCHIVE_NAME_ABSOLUTE", named(["/etc/passwd", "//x", "C:/x", "C:\\x"]));

refuses(
  "names that lead out are refused",
  "ARCHIVE_NAME_ESCAPES",
  named(["../evil", "a/../../evil", "a/..", "..", "good/../evil"]),
);

refuses("names that no file should have are refused", "ARCHIVE_NAME_INVALID", {
  ...named(["line\nend", "nul\0/evil", "", ".", "a".repeat(256), "..\\evil", "a\\b"]),
  ...named([Buffer.from([0x61, 0xff])], { flags: 0x800 }),
});

refuses("one name twice is refused", "ARCHIVE_NAME_DUPLICATE", {
  files: zipOf([good, { ...good, content: "other" }]),
  "a file and a folder": zipOf([good, { name: "good/below" }]),
  "a folder and a file": zipOf([{ name: "a/b" }, { name: "a" }]),
});

const symlink = (name: string, target: string): ZipFields => ({ name, content: target, mode: 0o120777 });

refuses("links are refused unless they are wanted", "ARCHIVE_LINK_REFUSED", {
  inside: zipOf([good, symlink("link", "good")]),
  "through a link": zipOf([symlink("link", "/tmp"), { name: "link/evil", content: "evil" }]),
});

refuses(
  "links that lead out are refused also where links are wanted",
  "ARCHIVE_LINK_REFUSED",
  {
    absolute: zipOf([good, symlink("link", "/etc")]),
    parent: zipOf([good, symlink("link", "..")]),
    nothing: zipOf([good, symlink("link", "missing")]),
  },
  { links: "inside" },
);

refuses("devices, pipes and sockets are refused", "ARCHIVE_DEVICE_REFUSED", {
  character: zipOf([good, { name: "null", mode: 0o020666 }]),
  block: zipOf([good, { name: "sda", mode: 0o060666 }]),
  pipe: zipOf([good, { name: "pipe", mode: 0o010666 }]),
  socket: zipOf([good, { name: "socket", mode: 0o140666 }]),
});

refuses("what is encrypted is refused", "ARCHIVE_ENCRYPTED", {
  classic: zipOf([good, { name: "secret", content: "x".repeat(20), flags: 1 }]),
  stored: zipOf([
    good,
    { name: "secret", content: "x".repeat(20), method: 0, flags: 1, local: { size: 8 }, central: { size: 8 } },
  ]),
  strong: zipOf([good, { name: "secret", flags: 0x41 }]),
  AES: zipOf([good, { name: "secret", method: 99, flags: 1 }]),
});

refuses("other compressions, and archives in parts, are refused", "ARCHIVE_UNSUPPORTED", {
  bzip2: zipOf([good, { name: "file", method: 12 }]),
  zstd: zipOf([good, { name: "file", method: 93 }]),
  parts: zipOf([good], { disk: 1 }),
});

const deflated = deflateRawSync("content");
const hidden = zipOf([{ name: "hidden", content: "evil" }]).subarray(0, 36 + 6);

refuses("a directory that lies is refused", "ARCHIVE_BROKEN", {
  "another name": zipOf([good, { name: "file", local: { name: "evil" } }]),
  "another method": zipOf([good, { name: "file", content: "content", local: { method: 0 } }]),
  "other flags": zipOf([good, { name: "file", local: { flags: 0x800 } }]),
  "another checksum": zipOf([good, { name: "file", content: "content", central: { crc: 1 } }]),
  "a wrong checksum": zipOf([good, { name: "file", content: "content", central: { crc: 1 }, local: { crc: 1 } }]),
  "a wrong checksum behind it": zipOf([
    good,
    { name: "file", content: "content", descriptor: true, central: { crc: 1 } },
  ]),
  "a smaller size": zipOf([good, { name: "file", content: "content", central: { size: 3 }, local: { size: 3 } }]),
  "a larger size": zipOf([good, { name: "file", content: "content", central: { size: 30 }, local: { size: 30 } }]),
  "a size on one side": zipOf([good, { name: "file", content: "content", central: { size: 30 } }]),
  "a packed size on one side": zipOf([good, { name: "file", content: "content", central: { packedSize: 3 } }]),
  "a packed size beyond the end": zipOf([
    good,
    { name: "file", central: { packedSize: 9999 }, local: { packedSize: 9999 } },
  ]),
  "stored with two sizes": zipOf([good, { name: "file", method: 0, content: "content", central: { size: 3 } }]),
  "an offset elsewhere": zipOf([good, { name: "file", central: { offset: 7 } }]),
  "an offset beyond the end": zipOf([good, { name: "file", central: { offset: 99_999 } }]),
  "a folder with content": zipOf([good, { name: "folder/", content: "content" }]),
  "a file between that it does not name": zipOf([good, { name: "file", before: hidden }]),
  "something before the first file": zipOf([{ ...good, central: { offset: 40 } }, { name: "file" }]),
  "more entries than there are": zipOf([good], { count: 2 }),
  "fewer entries than there are, the last hidden": zipOf([good, { name: "hidden" }, { name: "file" }], {
    count: 1,
  }).subarray(0, -1),
  "a further field that is cut": zipOf([good, { name: "file", extra: Buffer.from([1, 0, 99, 0, 0]) }]),
  "64-bit sizes that are missing": zipOf([
    { name: "file", central: { size: 0xffffffff }, local: { size: 0xffffffff }, extra: zip64Extra() },
  ]),
  "a link that is too long": zipOf([good, symlink("link", "x".repeat(5000))]),
  "damaged content": damaged(),
});

refuses("what is cut, or followed by something, is refused", "ARCHIVE_BROKEN", {
  "no directory": zipOf([good]).subarray(0, 40),
  "half a directory": zipOf([good, { name: "file" }]).subarray(0, -30),
  "something behind": Buffer.concat([zipOf([good]), Buffer.from("x")]),
  "another zip behind": Buffer.concat([zipOf([good]), zipOf([{ name: "hidden" }])]),
  "something between its directory and its end": zipOf([good], { large: { gap: Buffer.from("x") } }),
  "two ends that differ": zipOf([good, { name: "file" }], { large: { offset: -1 } }),
  "a directory in the comment": zipOf([good], { comment: endRecord(0, 0, 0).toString("latin1") }),
});

refuses("64-bit sizes that cannot be are refused by the limit", "ARCHIVE_TOO_LARGE", {
  size: zipOf([
    {
      name: "file",
      central: { size: 0xffffffff, extra: zip64Extra(2 ** 50) },
      local: { size: 0xffffffff },
    },
  ]),
});

test("many names for the same bytes are no way to make much of little", async () => {
  using here = unpacking();
  // Each entry is a header within the content of the one before, as in the known bombs.
  const kernel = zipOf([{ name: "kernel", content: Buffer.alloc(1_000_000) }]);
  const entries = Array.from(
    { length: 20 },
    (_, index): ZipFields => ({ name: `copy${index}`, central: { offset: 0 } }),
  );
  assert.equal(await here.refused(zipOf(entries)), "ARCHIVE_BROKEN");
  const header = kernel.subarray(0, 36);
  const quoted = zipOf([
    { name: "outer", method: 0, content: Buffer.concat([header, deflated]) },
    { name: "kernel", central: { offset: 30 + 5 }, content: Buffer.alloc(1_000_000), before: Buffer.alloc(0) },
  ]);
  assert.equal(await here.refused(quoted), "ARCHIVE_BROKEN");
});

/** More than is unpacked at once. */
const large = randomBytes(600_000);
const larger = (fields: ZipFields) => zipOf([good, { name: "file", content: large, ...fields }]);
const lying = (facts: object) => larger({ central: facts, local: facts });

refuses("content that is not what the archive says is refused, of small files and of large ones", "ARCHIVE_BROKEN", {
  "large: a wrong checksum": lying({ crc: 1 }),
  "large: a smaller size": lying({ size: 599_999 }),
  "large: a larger size": lying({ size: 600_001 }),
  "large: stored, a wrong checksum": larger({ method: 0, central: { crc: 1 }, local: { crc: 1 } }),
  "large: cut short": zipOf(
    [good, { name: "file", method: 0, content: deflateRawSync(large).subarray(0, -9) }].map(called),
  ),
  "small: cut short": zipOf([good, { name: "file", method: 0, content: deflated.subarray(0, -2) }].map(called)),
  "large: something behind its end": larger({ behind: Buffer.from("evil") }),
  "small: something behind its end": zipOf([good, { name: "file", content: "content", behind: Buffer.from("evil") }]),
  "small: another end behind its end": zipOf([good, { name: "file", content: "content", behind: deflated }]),
});

test("a bomb is stopped by its ratio: by what it says, and by what comes out", async () => {
  using here = unpacking();
  const zeros: ZipFields = { name: "zeros", content: Buffer.alloc(20_000_000) };
  assert.equal(await here.refused(zipOf([good, zeros])), "ARCHIVE_RATIO_TOO_HIGH");
  // It says that little comes out: so much does, and no more.
  const little = { size: 10, crc: crc32(Buffer.alloc(10)) };
  assert.equal(await here.refused(zipOf([{ ...zeros, central: little, local: little }])), "ARCHIVE_BROKEN");
  await here.unpack(zipOf([zeros]), { maxRatio: 100_000 });
});

test("many entries are stopped by their number, before any is unpacked", async () => {
  using here = unpacking();
  const many = zipOf(Array.from({ length: 50 }, (_, index) => ({ name: `${index}` })));
  assert.equal(await here.refused(many, { maxEntries: 49 }), "ARCHIVE_TOO_MANY_ENTRIES");
});

/** Deflated already, and called so. */
function called(fields: ZipFields): ZipFields {
  return fields.method === 0 ? { ...fields, local: { method: 8 }, central: { method: 8 } } : fields;
}

function damaged(): Buffer {
  const archive = zipOf([{ name: "file", content: "content ".repeat(100) }]);
  archive[38]! ^= 0xff;
  return archive;
}
