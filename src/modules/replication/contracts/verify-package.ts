export const VERIFY_PACKAGE = 'verify-package';

/**
 * A job that reads the file of a package and, when it is damaged or gone, takes it out of service and has it mended.
 * Without effect for a package that is not held here.
 */
export const verifyPackageJob = (packageId: string) => ({
  name: VERIFY_PACKAGE,
  key: `verify:${packageId}`,
  data: { packageId },
  priority: 40,
});
