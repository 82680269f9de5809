internal import Resources
internal import Synchronization
internal import SystemIO
internal import YAML

/// What became of a document.
///
/// A class, for the documents are sorted and handed on, and they are costly to move.
final class DecodedDocument: Sendable {
  /// The resource; nil where a field can't be read.
  let resource: Resource?
  /// What else is known of it.
  let decoder: DocumentDecoder
  /// Whether the document lacks something that was reported already.
  let isFlawed: Bool

  init(_ document: YAMLDocument, sources: NodeSources) {
    var decoder = DocumentDecoder(sources: sources)
    resource = decoder.decode(document.root)
    self.decoder = decoder
    isFlawed = document.isFlawed
  }
}

/// Decodes documents while more are being read.
///
/// Batches go to a second thread; where that is still at the last one, the reading thread decodes,
/// so that documents never pile up. Few documents are decoded without another thread.
struct DocumentDecoding {
  private let sources: NodeSources
  private var next: [Batch.Document] = []
  private var batches: [Batch] = []
  private var helper: (thread: WorkerThread, batch: Batch)?

  init(sources: NodeSources) { self.sources = sources }

  /// Takes in a document.
  ///
  /// - Parameter place: where it stands among all documents.
  mutating func add(_ document: YAMLDocument, at place: Int) {
    next.append((place, document))
    if next.count == 256 { handOn() }
  }

  /// All documents in the order of their places.
  mutating func finish() -> [DecodedDocument] {
    batches.append(Batch(next))
    batches[batches.count - 1].decode(sources)
    helper?.thread.join()
    helper = nil
    return batches.flatMap(\.outcomes).sorted { $0.place < $1.place }.map(\.outcome)
  }

  private mutating func handOn() {
    let batch = Batch(next)
    batches.append(batch)
    next.removeAll(keepingCapacity: true)
    if let helper {
      guard helper.batch.isDone else { return batch.decode(sources) }
      helper.thread.join()
    }
    do throws(SystemError) {
      helper = (try WorkerThread { [sources] in batch.decode(sources) }, batch)
    } catch {
      // Without another thread this one does it all.
      helper = nil
      batch.decode(sources)
    }
  }
}

/// Documents that are decoded in one go.
private final class Batch: Sendable {
  typealias Document = (place: Int, document: YAMLDocument)
  typealias Outcome = (place: Int, outcome: DecodedDocument)

  private let waiting: Mutex<[Document]>
  private let done = Mutex<[Outcome]?>(nil)

  init(_ documents: [Document]) { waiting = Mutex(documents) }

  var isDone: Bool { done.withLock { $0 != nil } }
  var outcomes: [Outcome] { done.withLock { $0 ?? [] } }

  func decode(_ sources: NodeSources) {
    let documents = waiting.withLock { waiting in
      defer { waiting = [] }
      return waiting
    }
    let outcomes = documents.map { ($0.place, DecodedDocument($0.document, sources: sources)) }
    done.withLock { $0 = outcomes }
  }
}
