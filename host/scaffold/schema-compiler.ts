// In a module of its own, which is loaded when types are written: it is large, and of no use to a host. Bundled, only an
// import like this one finds the names of a package in CommonJS.

export { compile } from "json-schema-to-typescript";
