// Rendered on the server at build time, as plain files; nothing of Onym needs that.
export default { output: 'export' }
