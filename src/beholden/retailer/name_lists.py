"""Names to draw from: common given names and surnames of several cultures, invented streets and cities.

Combinations are drawn at random; nobody is meant. The famous are invented altogether.
"""

from __future__ import annotations

from typing import Final

__all__ = ["CITIES", "CULTURES", "CULTURE_WEIGHTS", "EMAIL_DOMAINS", "FAMOUS", "GIVEN", "STREETS", "SURNAMES"]

#: culture -> given names, surnames.
CULTURES: Final[dict[str, tuple[str, str]]] = {
    "english": (
        "Alice Brian Carol Dennis Edith Frank Grace Harold Irene Jack Kathleen Leonard Megan Nigel Olive Percy",
        (
            "Ashdown Barker Cartwright Dunmore Ellwood Fairley Garside Hargrove Ingham Jessop Kirkby Lockwood Marsden "
            "Norwood Oakes Pickering Quarmby Radcliffe Stainton Thackray Underhill Verity Whitlock Yardley Penrose"
        ),
    ),
    "german": (
        "Anke Bernd Claudia Dieter Elke Florian Gerda Holger Ilse Jürgen Katrin Lothar Monika Norbert Petra",
        (
            "Altmann Bäcker Cordes Dreher Ehlers Förster Gerlach Hübner Imhof Jansen Krüger Lindner Möller Niehaus "
            "Oertel Pohlmann Quandt Röder Schäfer Thiele Ullrich Vollmer Wendt Zander Brandt"
        ),
    ),
    "french": (
        "Adèle Bastien Céline Damien Élodie Fabrice Gaëlle Hugo Inès Joël Karine Loïc Maëlle Noémie Olivier",
        (
            "Aubert Besnard Carpentier Delorme Étienne Faure Gaillard Huet Jacquet Lacombe Marchand Navarre Ollivier "
            "Perrin Renaud Sabatier Tessier Vasseur Blanchet Chauvin Dufour Guillot Leclerc Morel Rousseau"
        ),
    ),
    "spanish": (
        "Alba Benito Carmen Diego Elena Fermín Gloria Héctor Inmaculada Jaime Lucía Manuel Nuria Óscar Pilar",
        (
            "Aguilar Bermejo Castaño Domínguez Escudero Fuentes Gallardo Herrero Ibáñez Jurado Lozano Montero Núñez "
            "Ortega Pastor Quintana Robledo Serrano Toledo Urrutia Valverde Zamora Cabello Peña Rincón"
        ),
    ),
    "indian": (
        "Aarav Bhavna Chetan Deepa Esha Farhan Gauri Harish Isha Jatin Kavita Lakshmi Mohan Neha Prakash",
        (
            "Acharya Banerjee Chawla Desai Gokhale Hegde Iyer Joshi Kulkarni Lal Mehta Nambiar Oberoi Patil Rao "
            "Saxena Trivedi Upadhyay Varma Wagle Bhat Dutta Kapoor Menon Shetty"
        ),
    ),
    "nigerian": (
        "Adaeze Babatunde Chidi Damilola Ebele Femi Ginika Ifeoma Jide Kelechi Lola Musa Ngozi Obinna Remi",
        (
            "Abiola Balogun Chukwu Danjuma Ekwueme Fashola Gbadamosi Ibrahim Jaja Kalu Lawal Madu Nwosu Okafor Popoola "
            "Sanusi Tijani Uche Wachukwu Yakubu Adebayo Bello Eze Ojo Onyeka"
        ),
    ),
    "turkish": (
        "Ayşe Burak Cemile Deniz Emre Fatma Gökhan Hülya İlker Kemal Leyla Murat Nalan Orhan Pelin",
        (
            "Aksoy Bulut Coşkun Demirci Erdem Güneş Ilgaz Kaplan Koç Öztürk Polat Saygun Şahin Tekin Uysal "
            "Yavuz Yetkin Arslan Bozkurt Çelik Doğan Kurt Özkan Toprak Ünal"
        ),
    ),
    "east-asian": (
        "Akiko Bao Chen Daichi Emi Fumiko Hiroshi Jun Kenji Lan Mei Naoko Ping Ren Yuki",
        (
            "Aoki Cheng Fujita Gao Hoang Inoue Jiang Kimura Liu Maeda Nakano Okada Pham Qian Sakai Tran Ueno Vuong "
            "Watari Xu Yoon Zhao Hasegawa Mori Tanabe"
        ),
    ),
}
#: How many customers of a hundred have names of each culture, in the order above.
CULTURE_WEIGHTS: Final = (34, 16, 13, 11, 9, 6, 6, 5)

#: Invented persons whom everybody has heard of: given name, surname.
FAMOUS: Final = (
    ("Ottoline", "Brackenmoor"), ("Zephyrin", "Valdecourt"), ("Isaura", "Quellmont"), ("Thaddeus", "Orrinvale"),
)  # fmt: skip

#: All names in one order, so that a person is a pair of positions; the famous stand last and are never drawn.
GIVEN: Final = tuple(n for given, _ in CULTURES.values() for n in given.split()) + tuple(n for n, _ in FAMOUS)
SURNAMES: Final = tuple(n for _, names in CULTURES.values() for n in names.split()) + tuple(n for _, n in FAMOUS)

STREETS: Final = tuple(
    f"{first} {second}"
    for second in ("Lane", "Road", "Street", "Avenue", "Court")
    for first in (
        "Alderfield", "Birchmere", "Copperhill", "Dovecote", "Elmgrove", "Foxley", "Greenacre", "Hollowbrook",
        "Ivywell", "Juniper", "Kestrel", "Larkmoor", "Millpond", "Nettleham", "Orchardside", "Quarryview",
    )
)  # fmt: skip

#: city, country, beginning of its postal codes. None of them exists.
CITIES: Final = (
    ("Port Ellery", "US", "041"), ("Cedar Hollow", "US", "147"), ("Lakemont Springs", "US", "238"),
    ("Dunbar Falls", "US", "319"), ("Westerly Point", "US", "482"), ("Mirador Heights", "US", "577"),
    ("Red Mesa Junction", "US", "663"), ("Grand Willow", "US", "746"), ("Saltgrass", "US", "853"),
    ("New Halden", "US", "981"), ("Northaven", "GB", "QX"), ("Wetherleigh", "GB", "QY"), ("Kingsferry", "GB", "QZ"),
    ("Ashcombe Regis", "GB", "VX"), ("Millbury", "GB", "VY"), ("Altenfurtheim", "DE", "01"),
    ("Neu Brückwald", "DE", "27"), ("Sankt Oderin", "DE", "48"), ("Wiesenrode", "DE", "63"), ("Hohenlinz", "DE", "86"),
    ("Saint-Orlac", "FR", "13"), ("Villemarenne", "FR", "35"), ("Beaucastre", "FR", "59"),
    ("Montrevel-sur-Aure", "FR", "69"),
)  # fmt: skip

EMAIL_DOMAINS: Final = ("example.com", "example.org", "example.net", "mail.example", "post.example", "inbox.example")
