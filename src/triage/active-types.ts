/** Which types do something when they are opened, and which are only shown: what is both is not harmless for being shown. */

const SHOWN = /^(?:image|audio|video|font)\//;
const ACTIVE = new Set([
  ...["text/x-php", "text/asp", "text/aspdotnet", "text/x-jsp", "text/vbscript", "text/scriptlet"],
  ...["text/x-python", "text/x-shellscript", "text/x-msdos-batch", "text/x-perl", "text/x-ruby"],
  ...["application/javascript", "application/x-powershell", "application/hta", "application/x-wsf"],
  ...[
    "application/x-encoded-script",
    "application/x-msdownload",
    "application/x-elf",
    "application/x-mach-binary",
  ],
  ...["application/java-archive", "application/java-vm", "application/x-dex", "application/pdf"],
  ...["application/vnd.android.package-archive", "application/zip", "application/x-7z-compressed"],
  ...["application/x-rar-compressed", "application/x-iso9660-image", "application/x-udf-image"],
]);

/** Whether all that is named are types to be shown, although the artifact has an active type as well. */
export const isShownOnly = (named: readonly string[], types: readonly string[]): boolean =>
  named.every((type) => SHOWN.test(type)) && types.some((type) => ACTIVE.has(type));
