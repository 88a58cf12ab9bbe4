// The read side in machine code: no locked instruction, no fence, and on the way that a section normally takes no call.
using System.Text.RegularExpressions;

namespace IommuRcu.Tests.MachineCode;

/// <summary>
/// One kind of call is let pass: the one that finds the calling thread's own block of thread-static variables. On Linux the .NET runtime is a
/// shared library, so its compiler emits a call of the C library's <c>__tls_get_addr</c> for every thread-static variable; it hoists it out of loops.
/// </summary>
public sealed partial class ReadPathTests(ReadPathTests.Listings listings) : IClassFixture<ReadPathTests.Listings>
{
    [Theory]
    [InlineData("ReadPathProbe:Section")]
    [InlineData("ReadPathProbe:PointerSection")]
    [InlineData("ReadPathProbe:ReferenceSection")]
    public void Section_OpensAndClosesWithPlainStoresAndNoCall(string method)
    {
        CodeListing listing = listings.Optimized(method);

        Assert.Empty(Forbidden(listing));
        // The way that announces the section and takes the announcement back: two stores to the slot.
        List<Instruction>? way = listing.WaysWithoutCall(IsThreadBlockCall).FirstOrDefault(way => way.Count(IsStore) >= 2);
        Assert.True(way is not null, "no way through without a call stores twice:\n" + listing.Text);
        Assert.True(way.Count <= 40, $"{way.Count} instructions:\n" + listing.Text);
    }

    [Theory]
    [InlineData("ReadPathProbe:NestedSection")]
    [InlineData("ReaderSlot:EnterSlow")]
    [InlineData("ReaderSlot:ExitSlow")]
    public void NestedSection_HasNoLockedInstructionAndNoFence(string method) => Assert.Empty(Forbidden(listings.Optimized(method)));

    [Theory]
    [InlineData("ReadPathProbe:Locked")]
    [InlineData("ReadPathProbe:Fenced")]
    [InlineData("ReadPathProbe:Exchanged")]
    public void LockedInstructionOrFence_IsFound(string method) => Assert.NotEmpty(Forbidden(listings.Optimized(method)));

    [Fact]
    public void CallOnTheOnlyWay_IsFound() => Assert.Empty(listings.Optimized("ReadPathProbe:Calling").WaysWithoutCall(IsThreadBlockCall));

    /// <summary>Instructions that lock the bus or order memory more than an ordinary access: on x64, and on ARM64 other than ldar and stlr.</summary>
    internal static IEnumerable<Instruction> Forbidden(CodeListing listing) =>
        listing.Instructions.Where(instruction =>
            instruction.Mnemonic.StartsWith("lock", StringComparison.Ordinal)
            || instruction.Mnemonic is "mfence" or "lfence" or "sfence" or "dmb" or "dsb" or "isb" or "serialize" or "cpuid"
            || (instruction.Mnemonic == "xchg" && instruction.Operands.Contains('[', StringComparison.Ordinal))
            || ArmAtomic.IsMatch(instruction.Mnemonic));

    private static bool IsStore(Instruction instruction) => PlainStore.IsMatch(instruction.ToString());

    private static bool IsThreadBlockCall(Instruction before, Instruction call) =>
        call.Mnemonic == "call" && call.Operands.Length == 3 && before.Mnemonic == "mov" && before.Operands.StartsWith(call.Operands + ", 0x", StringComparison.Ordinal);

    [GeneratedRegex(@"^(ldx|ldax|stx|stlx|cas|swp|ldadd|ldclr|ldset|ldeor)")]
    private static partial Regex ArmAtomic { get; }

    /// <summary>A store of a word to what a register points at, other than the stack.</summary>
    [GeneratedRegex(@"^mov\s+qword ptr \[r(?!sp|bp)\w+(\+0x\w+)?\], |^stlr ")]
    private static partial Regex PlainStore { get; }

    /// <summary>Compiled and listed once for all tests here.</summary>
    public sealed class Listings
    {
        private readonly List<CodeListing> _listings;

        public Listings()
        {
            string file = Path.Combine(Path.GetTempPath(), $"iommurcu-jit-{Environment.ProcessId}-{Guid.NewGuid():N}.txt");
            try
            {
                ChildProgram.Run(
                    typeof(ReadPathProbe),
                    ("DOTNET_JitStdOutFile", file),
                    ("DOTNET_JitDisasm", "*ReadPathProbe:* *ReaderSlot:EnterSlow *ReaderSlot:ExitSlow"),
                    ("DOTNET_TieredCompilation", "1"),
                    ("DOTNET_TieredPGO", "1"),
                    ("DOTNET_TC_CallCountingDelayMs", "0"));
                _listings = CodeListing.Parse(File.ReadAllText(file));
            }
            finally
            {
                File.Delete(file);
            }
        }

        /// <summary>The last optimized code of a method.</summary>
        internal CodeListing Optimized(string method)
        {
            CodeListing? listing = _listings.LastOrDefault(one => one.IsOptimized && one.Header.Contains(method + "(", StringComparison.Ordinal));
            Assert.True(listing is not null, $"{method} was not compiled to optimized code; there is: {string.Join(", ", _listings.Select(one => one.Header))}");
            return listing;
        }
    }
}
