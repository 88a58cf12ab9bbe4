// The lists a test fills: sources and other files by name, and metadata references by path, assembly or object.
using System.Reflection;
using Microsoft.CodeAnalysis.Text;

namespace Microsoft.CodeAnalysis.Testing;

public class SourceFileCollection : List<(string filename, SourceText content)>
{
    public void Add((string filename, string content) file) =>
        Add((file.filename, SourceText.From(file.content, System.Text.Encoding.UTF8)));
}

public class SourceFileList(string defaultPrefix, string defaultExtension) : SourceFileCollection
{
    public void Add(string content) => Add(($"{defaultPrefix}{Count}.{defaultExtension}", content));

    public void Add(SourceText content) => Add(($"{defaultPrefix}{Count}.{defaultExtension}", content));
}

public class MetadataReferenceCollection : List<MetadataReference>
{
    public void Add(Assembly assembly) => Add(assembly.Location);

    public void Add(string path) => Add(MetadataReference.CreateFromFile(path));
}
