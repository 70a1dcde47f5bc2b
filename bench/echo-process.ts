/** Sends back what it is sent: what a message to another process costs at least. */
process.on("message", (message) => process.send?.(message));
process.on("disconnect", () => process.exit(0));
