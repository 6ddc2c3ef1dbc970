// Loaded before a program (`--import`): its clock is two hours slow.

const Real = globalThis.Date;
const late = 2 * 3_600_000;

globalThis.Date = class extends Real {
  constructor(...args) {
    super(...(args.length === 0 ? [Real.now() - late] : args));
  }

  static now() {
    return Real.now() - late;
  }
};
