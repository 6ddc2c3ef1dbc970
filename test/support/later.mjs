// Loaded before a program (`--import`): its clock is two days fast.

const Real = globalThis.Date;
const early = 2 * 24 * 3_600_000;

globalThis.Date = class extends Real {
  constructor(...args) {
    super(...(args.length === 0 ? [Real.now() + early] : args));
  }

  static now() {
    return Real.now() + early;
  }
};
