// Commands for software update as nobody should send them.

const topic = "org.example/gateway-1/things/live/messages/install";
const path = "/features/SoftwareUpdatable/inbox/messages/install";
const headers = { "correlation-id": "h", "response-required": true };
const artifact = {
  filename: "install.sh",
  size: 4,
  checksums: { SHA256: "b5bea41b6c623f7c09f1bf24dcae58ebab3c0cdd90ad966bc43a45b44867e12b" },
  download: { HTTP: { url: "http://127.0.0.1:9/x" } },
};
const module = {
  softwareModule: { name: "m", version: "1" },
  artifacts: [artifact],
  metaData: { "artifact-type": "plain" },
};
const value = { correlationId: "hostile", softwareModules: [module] };
const whole = { topic, headers, path, value };

const withModules = (softwareModules: unknown) => ({ ...whole, value: { ...value, softwareModules } });
const withModule = (more: object) => withModules([{ ...module, ...more }]);
const withArtifact = (more: object) => withModule({ artifacts: [{ ...artifact, ...more }] });
const without = (name: keyof typeof whole) => Object.fromEntries(Object.entries(whole).filter(([key]) => key !== name));
/** The place of the modules, filled with a text that JSON.stringify would not write. */
const raw = (text: string) => JSON.stringify(withModules("MODULES")).replace('"MODULES"', text);
const nested = (depth: number, open: string, close: string) => open.repeat(depth) + close.repeat(depth);

/** Answered 400. */
export const refused: Record<string, unknown> = {
  "the payload null": "null",
  "an empty object": "{}",
  "no JSON": "install",
  "half a command": JSON.stringify(whole).slice(0, 200),
  "bytes that are no UTF-8": Buffer.from([0x7b, 0xff, 0xfe]),
  "no headers": without("headers"),
  "headers that are null": { ...whole, headers: null },
  "response-required that is a text": { ...whole, headers: { ...headers, "response-required": "yes" } },
  "a correlation id that is a number": { ...whole, headers: { ...headers, "correlation-id": 7 } },
  "no topic": without("topic"),
  "no path": without("path"),
  "a value that is a text": { ...whole, value: "all" },
  "a value that is a list": { ...whole, value: [module] },
  "a value that is a number": { ...whole, value: 0 },
  "a value that is true": { ...whole, value: true },
  "modules that are an object": withModules({ 0: module }),
  "modules that are a text": withModules("m:1"),
  "modules that are a number": withModules(1),
  "modules that are false": withModules(false),
  "a module that is null": withModules([null]),
  "a null among modules": withModules([module, null]),
  "a module that is a text": withModules(["m:1"]),
  "a module that is a list": withModules([[module]]),
  "a module without its name": withModules([{ artifacts: [artifact] }]),
  "a name that is null": withModule({ softwareModule: null }),
  "a name that is a text": withModule({ softwareModule: "m:1" }),
  "a name that is a number inside": withModule({ softwareModule: { name: 1, version: "1" } }),
  "a version that is an object": withModule({ softwareModule: { name: "m", version: {} } }),
  "artifacts that are an object": withModule({ artifacts: { 0: artifact } }),
  "an artifact that is null": withModule({ artifacts: [null] }),
  "an artifact that is a number": withModule({ artifacts: [7] }),
  "a filename that is a list": withArtifact({ filename: ["install.sh"] }),
  "a size that is a text": withArtifact({ size: "4" }),
  "a size with a fraction": withArtifact({ size: 4.5 }),
  "a size beyond all integers": withArtifact({ size: 1e300 }),
  "a size below all integers": withArtifact({ size: -1e300 }),
  "a size beyond all doubles": raw('[{"softwareModule":{},"artifacts":[{"size":1e999}]}]'),
  "a size that is an object": withArtifact({ size: {} }),
  "checksums that are a text": withArtifact({ checksums: "SHA256" }),
  "a checksum that is a number": withArtifact({ checksums: { SHA256: 12345 } }),
  "links that are a list": withArtifact({ download: ["http://127.0.0.1:9/x"] }),
  "a link that is a text": withArtifact({ download: { HTTP: "http://127.0.0.1:9/x" } }),
  "a url that is a number": withArtifact({ download: { HTTP: { url: 80 } } }),
  "a url that is an object": withArtifact({ download: { HTTP: { url: { host: "x" } } } }),
  "metadata that is a list": withModule({ metaData: ["artifact-type=plain"] }),
  "metadata with a number": withModule({ metaData: { "artifact-type": 1 } }),
  "metadata with an object": withModule({ metaData: { "AES256.key": { hex: "00" } } }),
  "a correlationId that is a number": { ...whole, value: { ...value, correlationId: 7 } },
  "a correlationId that is a list": { ...whole, value: { ...value, correlationId: ["hostile"] } },
  "a correlationId of 100,000 characters": { ...whole, value: { ...value, correlationId: "x".repeat(100_000) } },
  "a weight that is a text": { ...whole, value: { ...value, weight: "heavy" } },
  "forced that is a text": { ...whole, value: { ...value, forced: "true" } },
  "metadata of the operation that is a text": { ...whole, value: { ...value, metadata: "x" } },
  "metadata of the operation with a list": { ...whole, value: { ...value, metadata: { a: [] } } },
  "2,000 modules": withModules(Array.from({ length: 2000 }, () => ({ softwareModule: {} }))),
  "2,000 artifacts": withModule({ artifacts: Array.from({ length: 2000 }, () => ({})) }),
  "80,000 modules that are lists": withModules(Array.from({ length: 80_000 }, () => [])),
  "lists 150 deep": raw(nested(150, "[", "]")),
  "lists 50,000 deep": raw(nested(50_000, "[", "]")),
  "modules 200 deep": raw(`${'[{"artifacts":'.repeat(200)}1${"}]".repeat(200)}`),
  "a payload of 300,000 bytes": withModule({ metaData: { note: "x".repeat(300_000) } }),
  "a member called $secret": withModule({ metaData: { $secret: "PATH" } }),
  "a secret in place of a key": withModule({ metaData: { "AES256.key": { $secret: "run:1" } } }),
};

/** Nothing is answered. */
export const silent: Record<string, unknown> = {
  "another thing": { ...whole, topic: topic.replace("gateway-1", "gateway-2") },
  "a thing of another namespace": { ...whole, topic: topic.replace("org.example", "org.elsewhere") },
  "another feature": { ...whole, path: path.replace("SoftwareUpdatable", "Uploadable") },
  "a feature called __proto__": { ...whole, path: path.replace("SoftwareUpdatable", "__proto__") },
  "an unknown operation": { ...whole, path: path.replace(/install$/, "explode") },
  "an operation called constructor": { ...whole, path: path.replace(/install$/, "constructor") },
  "an operation with a slash": { ...whole, path: `${path}/now` },
  "the outbox": { ...whole, path: path.replace("inbox", "outbox") },
  "a path of a policy": { ...whole, topic: "org.example/gateway-1/policies/commands/modify", path: "/" },
};

/** Accepted, and reported as failed, or with no modules nothing follows; how many ends there are. */
export const accepted: Record<string, [command: unknown, ends: number]> = {
  "no name and no version": [withModule({ softwareModule: {} }), 1],
  "a name with line ends and more": [
    withModule({ softwareModule: { name: "a\n\0\u2028/../", version: "\u{1f600}" } }),
    1,
  ],
  "a name of 50,000 characters": [withModule({ softwareModule: { name: "x".repeat(50_000), version: "1" } }), 1],
  "no artifacts": [withModule({ artifacts: [] }), 1],
  "artifacts that are null": [withModule({ artifacts: null }), 1],
  "an empty artifact": [withModule({ artifacts: [{}] }), 1],
  "a filename that is absolute": [withArtifact({ filename: "/etc/passwd" }), 1],
  "a filename that climbs": [withArtifact({ filename: "../../../../tmp/evil" }), 1],
  "a filename with a zero byte": [withArtifact({ filename: "a\0b" }), 1],
  "an empty filename": [withArtifact({ filename: "" }), 1],
  "a filename of two dots": [withArtifact({ filename: ".." }), 1],
  "a filename that is too long": [withArtifact({ filename: "x".repeat(5000) }), 1],
  "a url that is none": [withArtifact({ download: { HTTP: { url: "::::" } } }), 1],
  "a url of a file": [withArtifact({ download: { HTTP: { url: "file:///etc/passwd" } } }), 1],
  "a url of a script": [withArtifact({ download: { HTTPS: { url: "javascript:alert(1)" } } }), 1],
  "a link that is null": [withArtifact({ download: { HTTP: null } }), 1],
  "a file where none may be taken": [withArtifact({ download: { FILE: { url: "/etc/passwd" } } }), 1],
  "a checksum that is no hexadecimal": [withArtifact({ checksums: { SHA256: "zz" } }), 1],
  "a checksum of another kind": [withArtifact({ checksums: { CRC32: "00000000" } }), 1],
  "a checksum called __proto__": [raw(JSON.stringify([module]).replace('"SHA256"', '"__proto__"')), 1],
  "a type that nobody knows": [withModule({ metaData: { "artifact-type": "\0" } }), 1],
  "dependencies that climb": [
    withModule({ metaData: { "artifact-type": "plain", "installed-deps": "../../../etc" } }),
    1,
  ],
  "the same module three times": [withModules([module, module, module]), 3],
  "no modules": [withModules([]), 0],
  "modules that are null": [withModules(null), 0],
  "unknown members everywhere": [raw('[{"softwareModule":{"x":1},"y":[{}],"artifacts":[{"z":null}]}]'), 1],
};

export const textOf = (given: unknown) =>
  typeof given === "string" || Buffer.isBuffer(given) ? given : JSON.stringify(given);
