// Stands in for packages that Azurite names and does not need here (SQL databases, telemetry): a third of its size.
const anything = new Proxy(() => anything, { get: () => anything });
module.exports = anything;
