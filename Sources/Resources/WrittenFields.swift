public import Diagnostics

/// The fields that a manifest sets, each with its place.
///
/// A field is kept under its own name with the group that it stands in. Its path, such as
/// `spec.disks[root].size`, is put together when it is asked for: of the fields of ten thousand
/// documents hardly any ever is.
public struct WrittenFields: Sendable {
  /// A field, an element of a list or a root that was added.
  public struct Position: Sendable {
    fileprivate var index: Int32
  }

  /// A stretch of one line of a file, the file given by its number.
  public struct Mark: Sendable {
    /// The number of the file; one without a name gives a place in a file of no name.
    public var file: Int32
    /// The line, from 1.
    public var line: Int32
    /// The column in characters, from 1.
    public var column: Int32
    /// How many characters are marked; at least 1.
    public var length: Int32

    /// Marks `length` characters at `line`:`column`.
    public init(file: Int32, line: Int32, column: Int32, length: Int32) {
      self.file = file
      self.line = line
      self.column = column
      self.length = length
    }
  }

  private enum Role: Sendable {
    /// What paths begin with; it is no field itself.
    case root
    /// A field that is set, below a root or a group or, without one, by its whole path.
    case field
    /// An element of a list, or a place of what nobody is known to have set.
    case element
  }

  private struct Entry: Sendable {
    var name: String
    var group: Int32
    var role: Role
    var mark: Mark?
  }

  private var entries: [Entry] = []
  private var files: [String]

  /// No fields.
  ///
  /// - Parameter files: the names of the files that marks give by number.
  public init(files: [String] = []) { self.files = files }

  /// The fields that are set and the places that are known, by their paths.
  public init(_ paths: some Sequence<String>, places: [String: SourceSpan] = [:]) {
    var rest = places
    var files: [String] = []
    func mark(_ span: SourceSpan) -> Mark {
      let file = files.firstIndex(of: span.file) ?? files.count
      if file == files.count { files.append(span.file) }
      return Mark(
        file: Int32(clamping: file), line: Int32(clamping: span.line),
        column: Int32(clamping: span.column), length: Int32(clamping: span.length))
    }
    for path in paths {
      let span = rest.isEmpty ? nil : rest.removeValue(forKey: path)
      entries.append(Entry(name: path, group: -1, role: .field, mark: span.map(mark)))
    }
    for (path, span) in rest.sorted(by: { $0.key < $1.key }) {
      entries.append(Entry(name: path, group: -1, role: .element, mark: mark(span)))
    }
    self.files = files
  }

  /// Makes room for so many fields.
  public mutating func reserveCapacity(_ count: Int) { entries.reserveCapacity(count) }

  /// Adds what paths begin with, such as `spec`.
  public mutating func addRoot(_ name: String, at mark: Mark? = nil) -> Position {
    add(Entry(name: name, group: -1, role: .root, mark: mark))
  }

  /// Adds a field that is set.
  public mutating func addField(
    _ name: String, in group: Position, at mark: Mark
  ) -> Position {
    add(Entry(name: name, group: group.index, role: .field, mark: mark))
  }

  /// Adds an element of the list that a field holds, by its key or number.
  public mutating func addElement(
    _ key: String, of list: Position, at mark: Mark
  ) -> Position {
    add(Entry(name: key, group: list.index, role: .element, mark: mark))
  }

  private mutating func add(_ entry: Entry) -> Position {
    entries.append(entry)
    return Position(index: Int32(clamping: entries.count - 1))
  }

  /// The paths of all fields that are set, each once, in the order written.
  public var paths: [String] {
    var seen: Set<String> = []
    return entries.indices.lazy.filter { entries[$0].role == .field }
      .map { path(at: $0) }.filter { seen.insert($0).inserted }
  }

  /// All places that are known, by path; of several with one path the last.
  public var places: [String: SourceSpan] {
    entries.indices.reduce(into: [:]) { places, index in
      guard entries[index].role != .root, let mark = entries[index].mark else { return }
      places[path(at: index)] = span(mark)
    }
  }

  /// The path of what was added.
  public func path(_ position: Position) -> String { path(at: Int(position.index)) }

  private func path(at index: Int) -> String {
    let entry = entries[index]
    guard entry.group >= 0 else { return entry.name }
    let group = path(at: Int(entry.group))
    return entry.role == .element ? "\(group)[\(entry.name)]" : "\(group).\(entry.name)"
  }

  /// Where what was added stands; nil where that is not known.
  public func span(_ position: Position) -> SourceSpan? {
    entries[Int(position.index)].mark.map(span)
  }

  /// Where the field or the element with a path stands; nil where that is not known.
  ///
  /// Of several with one path the last is meant.
  public func span(at path: String) -> SourceSpan? {
    let index = entries.indices.last {
      entries[$0].role != .root && isPath(Substring(path).utf8, of: $0)
    }
    return index.flatMap { entries[$0].mark }.map(span)
  }

  private func span(_ mark: Mark) -> SourceSpan {
    let file = Int(mark.file)
    return SourceSpan(
      file: files.indices.contains(file) ? files[file] : "", line: Int(mark.line),
      column: Int(mark.column), length: Int(mark.length))
  }

  /// Compares from the end, where paths differ most.
  private func isPath(_ path: Substring.UTF8View, of index: Int) -> Bool {
    let entry = entries[index]
    let name = entry.name.utf8
    guard entry.group >= 0 else { return path.elementsEqual(name) }
    var rest = path
    if entry.role == .element, rest.popLast() != UInt8(ascii: "]") { return false }
    guard rest.count > name.count, rest.suffix(name.count).elementsEqual(name) else { return false }
    rest = rest.dropLast(name.count)
    return rest.popLast() == UInt8(ascii: entry.role == .element ? "[" : ".")
      && isPath(rest, of: Int(entry.group))
  }
}

extension WrittenFields: Hashable {
  /// Whether the same fields are set, at the same places.
  public static func == (a: WrittenFields, b: WrittenFields) -> Bool {
    Set(a.paths) == Set(b.paths) && a.places == b.places
  }

  /// Hashes the fields that are set.
  public func hash(into hasher: inout Hasher) { hasher.combine(Set(paths)) }
}
