package failure

// The steps of a download, and of a DownloadDirectory: the values of TransferError.Op.
const (
	OpCheck   = "check"   // of the arguments, of the destination, of a key that names a file
	OpStart   = "start"   // of the pool, or of the download after Shutdown
	OpQueue   = "queue"   // the download had not begun
	OpHead    = "head"    // HeadObject
	OpList    = "list"    // ListObjectsV2
	OpOpen    = "open"    // of the partial file
	OpCreate  = "create"  // of the temporary file, or of a directory
	OpGet     = "get"     // GetObject, and the writing of its bytes
	OpRead    = "read"    // of bytes that an earlier download has left, or of the complete file
	OpVerify  = "verify"  // of the bytes, against what S3 keeps, and what the caller expects
	OpSync    = "sync"    // bringing the file, or its name, to stable storage
	OpPublish = "publish" // the rename
	OpChtimes = "chtimes" // setting the file's modification time
)
