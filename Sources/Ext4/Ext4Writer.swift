public import FileTree

/// Writes an ext4 file system in one pass: contents as they come, then all that describes them.
///
/// Neither the number of files nor their sizes need be known ahead, so that an archive can be
/// streamed into it. Inode tables and bitmaps follow the contents (feature flex_bg lets them lie
/// anywhere), and the superblock and group descriptors at the front are written last. The same
/// calls with the same options give the same bytes.
///
/// Format: the kernel's Documentation/filesystems/ext4 and, for checksums, e2fsprogs
/// lib/ext2fs/csum.c.
public final class Ext4Writer {
  /// How many names a file can have (EXT4_LINK_MAX).
  public static let largestLinkCount = 65000
  /// Bytes of a file at most.
  public static let largestFile = Ext4.largestFile
  /// Bytes of a name at most.
  public static let longestName = 255
  /// Bytes of a symbolic link's target at most.
  public static let longestTarget = 4095

  private(set) var options: Ext4Options
  let output: BlockOutput
  var allocator: BlockAllocator
  var contents = ContentStore()

  /// Sees all file contents; set it before the first one begins.
  public var observer: (any ContentObserver)?

  private var openPath: [UInt8]?
  private var position = 0
  /// Bytes of the last block that are not filled yet.
  private var room = 0
  private var finished = false

  /// Begins a file system.
  ///
  /// - Throws: `Ext4Error` where the options can't be met.
  public init(_ options: Ext4Options, sink: any BlockSink) throws(Ext4Error) {
    guard options.label.count <= 16 else {
      throw Ext4Error([], .labelTooLong(options.label.count))
    }
    let largest = UInt64(options.profile.mostBlocks * Ext4.blockSize)
    if case .exactly(let size) = options.size, size > largest {
      throw Ext4Error([], .beyondMaximum(needed: size, maximum: largest))
    }
    self.options = options
    var limit = Int.max
    if case .exactly(let size) = options.size {
      limit = Int(clamping: size) & ~(Ext4.blockSize - 1)
    }
    output = BlockOutput(sink, limit: limit)
    allocator = BlockAllocator(reserved: 1 + options.descriptorBlocks)
  }

  /// Makes sure that an inode can have a set of extended attributes.
  ///
  /// - Throws: `Ext4Error` of reason `badAttribute`, `badACL` or `attributesTooLarge`, with no path.
  public static func check(_ attributes: [ExtendedAttribute]) throws(Ext4Error) {
    _ = try AttributeEncoding(attributes) { [] }
  }

  /// Changes options before the end, where they follow from what was streamed: the names, the
  /// label, the time and the room that is left free.
  ///
  /// - Throws: `Ext4Error` where another option changes or the file system is finished.
  public func revise(_ change: (inout Ext4Options) -> Void) throws(Ext4Error) {
    var revised = options
    change(&revised)
    var settled = revised
    (settled.uuid, settled.hashSeed) = (options.uuid, options.hashSeed)
    (settled.label, settled.creationTime) = (options.label, options.creationTime)
    if case .fitting = options.size, case .fitting = revised.size { settled.size = options.size }
    guard !finished, settled == options, revised.label.count <= 16 else {
      throw Ext4Error([], .misuse("an option was revised that is settled already"))
    }
    options = revised
  }

  /// Begins a regular file's content.
  ///
  /// - Parameter path: the guest path, for messages.
  public func beginFile(_ path: [UInt8]) throws {
    guard openPath == nil, !finished else {
      throw Ext4Error(path, .misuse("a file was begun before the last one was ended"))
    }
    begin(path)
    observer?.beginContent()
  }

  /// Adds bytes to the file that was begun.
  public func append(_ bytes: UnsafeRawBufferPointer) throws {
    guard openPath != nil else {
      throw Ext4Error([], .misuse("bytes came without a file begun"))
    }
    try put(bytes)
    observer?.append(bytes)
  }

  /// Adds bytes to the file that was begun.
  public func append(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try append($0) }
  }

  /// Adds bytes that read as zeros and take no room, but for the rest of a block begun.
  public func appendHole(_ count: UInt64) throws {
    guard let path = openPath else {
      throw Ext4Error([], .misuse("a hole came without a file begun"))
    }
    guard let count = Int(exactly: count), count <= Ext4.largestFile - position else {
      throw Ext4Error(path, .fileTooLarge)
    }
    let padding = min(room, count)
    try output.appendZeros(padding)
    room -= padding
    position += count
    observer?.appendHole(count)
  }

  /// Ends the file and gives the content to set in the tree.
  public func endFile() throws -> FileContent {
    guard openPath != nil else {
      throw Ext4Error([], .misuse("a file was ended without one begun"))
    }
    let size = position
    let number = UInt64(try end())
    observer?.endContent(number)
    return .reference(number, size: UInt64(size))
  }

  /// Completes the file system for a tree whose contents all came through this writer.
  ///
  /// - Returns: what was written.
  /// - Throws: `Ext4Error` naming the file that ext4 can't hold, or the bytes missing; what the
  ///   sink throws.
  public func finish(_ tree: FileTree) throws -> Ext4Summary {
    guard openPath == nil, !finished else {
      throw Ext4Error([], .misuse("a file system was finished twice or with a file begun"))
    }
    finished = true
    let plan = try TreePlan(tree)
    return try Finisher(self, tree, plan).run()
  }

  func begin(_ path: [UInt8]) {
    openPath = path
    position = 0
    room = 0
    contents.begin()
  }

  func put(_ bytes: UnsafeRawBufferPointer) throws {
    guard bytes.count <= Ext4.largestFile - position else {
      throw Ext4Error(openPath ?? [], .fileTooLarge)
    }
    var rest = bytes
    while !rest.isEmpty {
      if room == 0 {
        // After a hole the first block may begin with zeros.
        let lead = position % Ext4.blockSize
        let run = allocator.take(upTo: Ext4.divideUp(lead + rest.count, Ext4.blockSize))
        contents.add(logical: position / Ext4.blockSize, run)
        try output.seek(run.lowerBound * Ext4.blockSize)
        try output.appendZeros(lead)
        room = run.count * Ext4.blockSize - lead
      }
      let count = min(room, rest.count)
      try output.append(UnsafeRawBufferPointer(rebasing: rest[..<count]))
      position += count
      room -= count
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }

  func end() throws -> Int {
    try output.appendZeros(room)
    room = 0
    openPath = nil
    return contents.end(size: position)
  }
}
